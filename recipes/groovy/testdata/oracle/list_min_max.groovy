println([3, 1, 2].min())
println(["ccc", "a"].min { it.size() })
println([1, 5, 3].max { a, b -> a <=> b })
