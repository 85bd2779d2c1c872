println 1.0 < 1.5
println 1.10 == 1.1
println([1.5, 1.25, 1.75].max())
println([3, 1.5, 2L].sort())
