println 7 % 3
println(-7 % 3)
println 7.5 % 2
println 7L % 4
println((7L % 4).class)
