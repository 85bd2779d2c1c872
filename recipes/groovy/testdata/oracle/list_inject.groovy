println([1, 2, 3].inject(0) { a, b -> a + b })
println([1, 2, 3].inject { a, b -> a * b })
println(["a", "b"].inject("") { s, x -> s + x })
