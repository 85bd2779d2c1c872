def l = [null, 1]
println l
println l.findAll { it != null }
println l.size()
println([null] == [null])
