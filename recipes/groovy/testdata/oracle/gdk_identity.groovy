def a = [1]
def b = a
println a.is(b)
println a.is([1])
println a == [1]
