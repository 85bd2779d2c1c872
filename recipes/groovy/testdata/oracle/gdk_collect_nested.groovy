println([[1, 2], [3]].collect { it.collect { x -> x * 2 } })
println([a: [1, 2]].collectEntries { k, v -> [k, v.sum()] })
println([[a: 1], [a: 2]].collect { it.a }.sum())
