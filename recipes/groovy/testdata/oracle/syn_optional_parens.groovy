def f(a, b = 1) { "$a $b" }
println f(2)
println f(2, 3)
println "x".plus("y")
