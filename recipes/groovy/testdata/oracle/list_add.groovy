def l = []
println l.add(1)
l.add(0, "first")
l.addAll([2, 3])
l << 4 << 5
println l
println l.push(9)
println l
println l.pop()
