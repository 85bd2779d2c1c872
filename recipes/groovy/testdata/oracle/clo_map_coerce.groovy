def o = [compare: { a, b -> a.size() <=> b.size() }] as Comparator
println(["ccc", "a", "bb"].sort(o))
