def l = [1, 2, 3, 2, "a"]
println l.remove(0)
println l.remove("a")
println l
l.removeAll([2])
println l
l = [5, 6, 7]
println l.remove((Object) 6)
println l
println l.removeElement(7)
