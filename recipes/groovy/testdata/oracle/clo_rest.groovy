def c1 = { ... c -> c.size() }
println c1()
println c1(1, 2, 3)
def c2 = { a, ... b -> "$a $b" }
println c2(1, 2, 3)
def m(... x) { x.length }
println m(1,2)
def n(a, String... x) { x.length }
println n(1,'a')
