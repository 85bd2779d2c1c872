println([1, 2.5, 3L].max())
println(["a", "b"].max())
println([[1, 2], [3]].max { it.size() })
