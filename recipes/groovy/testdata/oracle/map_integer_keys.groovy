def m = [1: "a", 2: "b"]
println m[1]
println m.get(2)
println m[3]
println m.keySet().sum()
