println 1.5 * 2
println 1.10 * 1.10
println 2.0 * 3
