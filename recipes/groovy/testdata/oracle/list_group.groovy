println(["a", "bb", "c"].groupBy { it.size() })
println([1, 2, 3, 4].countBy { it % 2 })
println([1, 2, 3, 4].split { it > 2 })
println([1, 2, 3, 4].groupBy({ it % 2 }, { it > 2 }))
