println Arrays.asList("a", "b")
def a = [3, 1, 2] as int[]
Arrays.sort(a)
println a
println Arrays.toString(a)
