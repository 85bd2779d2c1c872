def s = [1, 2, 2, 3] as Set
println s
println s.size()
println s.class.simpleName
println s.contains(2)
s << 4
println s.add(4)
println s
println([1, 2] as Set == [2, 1] as Set)
