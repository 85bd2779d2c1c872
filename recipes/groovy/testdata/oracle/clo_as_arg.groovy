def twice(Closure c) { c(); c() }
def n = 0
twice { n++ }
println n
def apply(x, Closure c) { c(x) }
println apply(5) { it * 2 }
println apply(5, { it + 1 })
def opt(Map m, Closure c) { c(m.a) }
println opt(a: 3) { it * it }
