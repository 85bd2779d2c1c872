println 1.0d / 0
println(-1.0d / 0)
