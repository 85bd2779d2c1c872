def f(Map m, Object... r) { "$m $r" }
println f(a: 1, "x", "y")
