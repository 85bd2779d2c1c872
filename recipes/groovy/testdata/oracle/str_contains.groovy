println "hello".contains("ell")
println "hello".startsWith("he")
println "hello".endsWith("lo")
println "hello".indexOf("l")
println "hello".lastIndexOf("l")
println "hello".indexOf("z")
println "hello".indexOf("l", 3)
println "ell" in ["hello"]
