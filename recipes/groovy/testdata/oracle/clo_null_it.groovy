def c = { it }
println c()
println c(null)
println({ it ?: "nothing" }())
