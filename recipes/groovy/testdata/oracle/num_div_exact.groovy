println 6 / 2
println 7 / 2
println 1 / 8
println((6 / 2).class)
