int[] a = [3, 1, 2]
println a.toList().sort()
println a.collect { it * 2 }
println a.toList().max()
println a.toList().contains(3)
println a as List
println a.class.array || true
for (x in a) print x
println()
println Arrays.toString(a)
println Arrays.asList(1, 2)
