def l = [[n: 1, s: "x"], [n: 2, s: "y"]]
println l*.n
println l.n
println l.s*.toUpperCase()
println([1, null, 2]*.toString())
println l.collect { it.n }
