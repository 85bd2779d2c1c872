println "hello".size()
println "hello".length()
println "".isEmpty()
println "" ? "t" : "f"
println " " ? "t" : "f"
