def s = new LinkedHashSet()
s.add("z")
s.add("a")
s.add("z")
println s
println s.toList()
println s.remove("z")
println s
