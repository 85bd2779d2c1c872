println 1 < 2 && 2 < 3
println !(1 > 2) || false
println 5 in [1, 5] && true
println (1 == 1 ? 2 : 3)
