def m = [a: 1, "b": 2, 'c d': 3, (1 + 1): 4]
println m
println m.size()
println([:])
println([:].size())
println m.getClass().simpleName
