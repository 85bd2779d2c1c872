println 1 / 3
println 2 / 3
println 10 / 7
println 22 / 7.0
println 1 / 7000
