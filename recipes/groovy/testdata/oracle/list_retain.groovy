def l = [1, 2, 3, 4]
l.retainAll { it > 2 }
println l
l.removeAll { it == 4 }
println l
l.clear()
println l
