def m = [a: 1, b: 2, c: 3]
m.keySet().toList().each { if (m[it] == 2) m.remove(it) }
println m
