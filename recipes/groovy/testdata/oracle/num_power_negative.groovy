println 2 ** -1
println 2 ** 0.5
println 4 ** 0.5
println 1.5 ** 2
