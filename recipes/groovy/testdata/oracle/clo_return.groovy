def c = { if (it > 2) return "big"; "small" }
println c(5)
println c(1)
