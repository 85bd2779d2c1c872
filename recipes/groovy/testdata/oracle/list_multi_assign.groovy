def (a, b) = [1, 2]
println a + b
def (c, d) = [1]
println d
int x
String y
(x, y) = [5, "s"]
println x + y
(a, b) = [b, a]
println "$a $b"
def (int p, String q) = [1, "z"]
println q + p
