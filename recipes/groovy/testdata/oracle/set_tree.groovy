def s = new TreeSet(["b", "a", "c"])
println s
println s.first()
println s.last()
s << "aa"
println s
println([3, 1, 2] as TreeSet)
println([3, 1, 2] as SortedSet)
