def a = 10
def b = 2
println a / b
println a/b
println((a + b) / 2)
