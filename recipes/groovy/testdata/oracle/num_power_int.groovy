println 2 ** 10
println 2 ** 31
println((2 ** 31).class)
println 2 ** 30
println 2 ** 64
println 2L ** 40
