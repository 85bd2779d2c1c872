def m = [a: [:]]
m.a.b = 1
m.a["c"] = [1]
m.a.c << 2
println m
