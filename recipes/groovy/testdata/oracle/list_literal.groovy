def l = [1, "a", null, 2.5, [3]]
println l
println l.class.simpleName
println l.size()
println([])
