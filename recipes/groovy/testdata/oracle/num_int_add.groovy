println 1 + 2
println((1 + 2).class)
