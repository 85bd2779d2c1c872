println([3, 1.5, 2L].sort())
println(["b", "a", "${'c'}"].sort())
println([1, "1", 2, "a"].sort().size())
def m = [a: 3, b: 1, c: 2]
println m.max { x, y -> x.value <=> y.value }
println m.min { x, y -> x.value <=> y.value }
println m.max { it.value }.key
println([5, 3, 9].max { a, b -> b <=> a })
println([[1, 2], [0]].max { it.size() })
println(["aaa", "b"].min { a, b -> a.size() <=> b.size() })
try { new RuntimeException("kept").printStackTrace(new PrintWriter(new StringWriter())); println "ok" } catch (e) { println e }
def w = new StringWriter()
new IllegalStateException("why").printStackTrace(new PrintWriter(w))
println w.toString().readLines()[0]
