println([1, 2, 3].findAll { it > 1 }.collect { it * 2 }.sum())
println([3, 1].sort { a, b -> a <=> b }.first())
