def l = [{ it + 1 }, { it * 2 }]
println l[0](1)
println l.collect { it(5) }
println l*.call(3)
