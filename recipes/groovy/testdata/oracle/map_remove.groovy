def m = [a: 1, b: 2]
println m.remove("a")
println m.remove("zz")
println m
m.clear()
println m.isEmpty()
