def f(a, b = 2, c = 3) { "$a $b $c" }
println f(1)
println f(1, 5)
println f(1, 5, 9)
