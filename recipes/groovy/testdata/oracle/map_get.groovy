def m = [a: 1, b: [c: 2]]
println m.a
println m["a"]
println m.get("a")
println m.b.c
println m.x
println m["x"]
println m.get("x", 9)
println m
println m.getOrDefault("z", 0)
