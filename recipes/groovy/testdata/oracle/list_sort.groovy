println([3, 1, 2].sort())
println(["b", "A", "c"].sort())
println([3, 1, 2].sort { -it })
println([3, 1, 2].sort { a, b -> b <=> a })
def l = [2, 1]
def s = l.sort(false)
println l
println s
l.sort()
println l
println(["bb", "a", "cc"].sort { it.size() })
println([[n: 2], [n: 1]].sort { it.n })
println([3, 1, 2].toSorted())
