def a, b
a = b = 5
println a + b
def c = (a = 7)
println c
println((b = 3) + b)
