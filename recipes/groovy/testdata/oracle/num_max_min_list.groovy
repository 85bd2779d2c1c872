println([3, 1, 2].max())
println([3, 1, 2].min())
println(['aa', 'b', 'cccc'].max { it.size() })
println([].max())
