def m = [n: 1, l: [1]]
m.n += 5
m.n++
m["n"] *= 2
m.l += 2
m.l[0] -= 1
println m
