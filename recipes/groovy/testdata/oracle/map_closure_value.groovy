def m = [f: { it + 1 }, g: { -> "g" }]
println m.f(1)
println m.g()
println m.f.call(5)
println m["f"](7)
