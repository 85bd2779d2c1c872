println(["a", "b"].withIndex())
println(["a", "b"].indexed())
println(["a", "b"].withIndex().collect { x, i -> "$i:$x" })
