println([[a: 1], null, [a: null]].a)
println([[a: 1], null]*.a)
println([[a: [b: 1]], [a: null]].a.b)
println([null, 3, null, 1].min())
println([null, 3, null, 1].max())
println([null].max())
println([1, 2, 3].plus(1, [8, 9]))
try { [1].plus(5, [2]) } catch (IndexOutOfBoundsException e) { println 'out' }
println([b: 2, a: 3, c: 1].toSorted())
println([b: 2, a: 3, c: 1].toSorted { it.key })
println([a: 1, b: 2].split { it.value > 1 })
println([[1, 2], [3, 4]].collect { a, b = 5 -> [a, b] })
println([[1, 2], [3, 4]].collect { a, b -> [a, b] })
def f = { a, b = 2 -> [a, b] }
println f([7, 8])
try { def (a, b) = null } catch (NullPointerException e) { println e.message }
def c, d
try { (c, d) = null } catch (NullPointerException e) { println e.message }
for (q in ['contains', 'startsWith', 'endsWith']) {
  try { println 'null'."$q"(null as String) } catch (NullPointerException e) { println q }
}
