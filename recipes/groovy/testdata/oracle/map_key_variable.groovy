def k = "x"
println([k: 1])
println([(k): 1])
println(["$k": 1])
