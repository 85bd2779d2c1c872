def m = new HashMap()
m[[a: 1]] = 'map'
m[1.5] = 'decimal'
m[2.5d] = 'double'
m[[3, 4] as Set] = 'set'
m[12345678901234567890G] = 'big'
m['k'] = 'text'
m[5000000000L] = 'long'
println m
println(new HashSet([1.25, 2.75, 0.1, 1e10, 7.0d, 0.5f, [b: 2], [c: 3]]))
