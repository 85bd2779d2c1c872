class D { def f(a, b = 5) { a + b } }
println new D().f(1)
println new D().f(1, 1)
