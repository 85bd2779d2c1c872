def m = [a: 1, b: 2]
println m.keySet()
println m.values()
println m.keySet() as List
println m*.key
println m*.value
println m.entrySet().size()
println m.values().sum()
