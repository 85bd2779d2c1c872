def c = { x -> x + 1 }
println c(1)
println c.call(2)
def z = { it * 2 }
println z(4)
def n = { -> "none" }
println n()
println z.maximumNumberOfParameters
println n.maximumNumberOfParameters
