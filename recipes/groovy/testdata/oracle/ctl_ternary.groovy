def x = 5
println(x > 3 ? "y" : "n")
println(null ?: "default")
println("" ?: "empty")
println(0 ?: 7)
println(x ? x > 4 ? "a" : "b" : "c")
