def m = [a: 1, n: null]
println m.containsKey("a")
println m.containsKey("n")
println m.containsValue(1)
println "a" in m
println "n" in m
println m.n
