println([a: 1] + [b: 2])
println([a: 1, b: 2] - [a: 1])
println([a: 1, b: 2].subMap(["a"]))
println([a: 1, b: 2].intersect([a: 1, b: 3]))
