def l = [1, 2, 3]
println l.reverse()
println l
println l.reverse(true)
println l
