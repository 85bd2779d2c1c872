def x = 5
println(-x)
println(-(-x))
println(+x)
println(-2147483648)
println((-2147483648).class)
