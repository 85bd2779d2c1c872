def f(String... a) { a.length + ":" + a.join(",") }
println f()
println f("x")
println f("x", "y")
def g(int a, Object... b) { "$a ${b.size()}" }
println g(1)
println g(1, 2, 3)
