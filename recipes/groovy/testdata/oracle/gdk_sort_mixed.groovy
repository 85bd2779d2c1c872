println(["b", "a"].sort().join())
println([[k: "b", v: 1], [k: "a", v: 2]].sort { it.k }*.v)
println(["10", "9", "2"].sort { it.toInteger() })
println([3, 1].sort { a, b -> b - a })
