def fact(n) { n <= 1 ? 1 : n * fact(n - 1) }
println fact(10)
println fact(13)
println fact(20L)
println fact(25G)
