def pipeline = [{ it + 1 }, { it * 2 }, { it - 3 }]
println pipeline.inject(5) { acc, f -> f(acc) }
