def c = { a, b -> "$a:$b" }
println([[1, 2], [3, 4]].collect { a, b -> a + b })
println c([5, 6])
println c(*[7, 8])
