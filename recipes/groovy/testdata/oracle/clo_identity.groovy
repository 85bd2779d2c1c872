def c = { -> }
println c()
println({ }())
