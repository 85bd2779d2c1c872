def a = [1, 2, 3] as Set
def b = [2, 3, 4] as Set
println a + b
println a - b
println a.intersect(b)
println a.collect { it * 2 }
println a.findAll { it > 1 }
println a.findAll { it > 1 }.class.simpleName
