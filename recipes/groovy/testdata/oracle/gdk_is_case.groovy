println "a" in ["a", "b"]
println 5 in 1..10
println "k" in [k: 1]
println "s".isCase("s")
println Integer.isCase(5)
println((~/a+/).isCase("aaa"))
