def a = [1, 2, 3] as int[]
println a.length
println a.class.simpleName
println a[0]
String[] s = ["x", "y"]
println s.length
println s.size()
println s.join("-")
println a.sum()
println a.toList()
