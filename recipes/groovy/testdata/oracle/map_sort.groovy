println([b: 1, a: 2].sort())
println([b: 1, a: 2].sort { it.value })
println([b: 1, a: 2].sort { x, y -> y.value <=> x.value })
println([b: 1, a: 2].sort { it.key }.keySet())
