class Pt {
    int x, y
    Pt(int x, int y) { this.x = x; this.y = y }
    boolean equals(Object o) { o instanceof Pt && o.x == x && o.y == y }
    int hashCode() { x % 2 }   // collides on purpose
    String toString() { "($x,$y)" }
}
def p = { x, y -> new Pt(x, y) }
def list = [p(1, 2), p(3, 4)]
println list.contains(p(3, 4))
println list.indexOf(p(3, 4)) + " " + list.lastIndexOf(p(9, 9))
println(p(1, 2) in list)
println list == [p(1, 2), p(3, 4)]
println list - [p(1, 2)]
def s = [p(1, 1), p(1, 1), p(3, 1), p(3, 1), p(5, 5)] as LinkedHashSet
println s
println s.size() + " " + s.contains(p(3, 1)) + " " + s.contains(p(7, 1))
s.remove(p(3, 1))
println s
s << p(3, 1) << p(5, 5)
println s
def m = [:]
20.times { m[p(it % 10, 0)] = it }
println m.size()
println m[p(3, 0)] + " " + m[p(4, 0)] + " " + m[p(11, 0)]
10.times { if (it % 3 == 0) m.remove(p(it, 0)) }
println m.keySet().sort { it.x }
println "${m.containsKey(p(3, 0))} ${m.containsKey(p(9, 0))} ${m.containsKey(p(8, 0))}"
10.times { m[p(it, 0)] = -it }
println m.size() + " " + m[p(9, 0)] + " " + m[p(8, 0)]
println([p(1, 1), p(1, 1), p(2, 1)].unique())
println([p(1, 1), p(1, 1), p(2, 1)].toSet().size())
println([a: p(1, 2)] == [a: p(1, 2)])
println([a: p(1, 2)].containsValue(p(1, 2)))
println([p(1, 2), p(1, 2), p(2, 2)].groupBy { it }.collect { k, v -> "$k ${v.size()}" }.sort())
println([p(1, 2), p(1, 2), p(2, 2)].countBy { it }[p(1, 2)])
println([p(1, 2), p(1, 2)].count(p(1, 2)))
class OnlyEquals { int n; boolean equals(Object o) { o instanceof OnlyEquals && o.n == n } }
println(new OnlyEquals(n: 1) == new OnlyEquals(n: 1))
println([new OnlyEquals(n: 1)].contains(new OnlyEquals(n: 1)))
class Bad {
    boolean equals(Object o) { throw new IllegalStateException("no equals") }
    int hashCode() { 1 }
}
try {
    println([new Bad()].contains(new Bad()))
} catch (IllegalStateException e) { println "caught " + e.message }
try {
    def set = new HashSet(); set << new Bad(); set << new Bad()
    println set.size()
} catch (IllegalStateException e) { println "caught " + e.message }
