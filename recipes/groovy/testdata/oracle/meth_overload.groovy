def f(int x) { "int" }
def f(String x) { "string" }
def f(List x) { "list" }
def f(Object x) { "object" }
println f(1)
println f("s")
println f([1])
println f(1.5)
println f("" as String)
def g(String s) { "string " + s }
def g(Object o) { "object " + o }
println g(null)
println g("x")
println g(3)
