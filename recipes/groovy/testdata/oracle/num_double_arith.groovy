println 0.1d + 0.2d
println 1.1f + 1.1f
println 1.5d * 2
println((1 + 1.5d).class)
println((1.5 + 1.5d).class)
println((1.5f + 1).class)
