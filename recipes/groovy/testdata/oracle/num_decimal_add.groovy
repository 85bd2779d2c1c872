println 0.1 + 0.2
println 1.10 + 2.2
println((0.1 + 0.2) == 0.3)
