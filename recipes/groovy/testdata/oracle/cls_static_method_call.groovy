class U { static String up(s) { s.toUpperCase() } }
println U.up("a")
println(["a", "b"].collect(U.&up))
println(["a", "b"].collect { U.up(it) })
