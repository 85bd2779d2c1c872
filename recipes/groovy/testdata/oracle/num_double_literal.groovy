println 1.5d
println((1.5d).class)
println 1.5f
println((1.5f).class)
println 1e3
println 1.5e-3
println((1e3).class)
