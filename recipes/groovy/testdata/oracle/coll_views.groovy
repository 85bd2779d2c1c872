def m = [a: 1, b: 2, c: 3, d: 2]
m.keySet().remove("a")
println m
m.values().remove(2)
println m
m.values().removeAll([2])
println m
m = [a: 1, b: 2, c: 3, d: 4]
m.entrySet().removeAll { it.value > 2 }
println m
m = [a: 1, b: 2, c: 3, d: 4]
m.keySet().retainAll(["a", "d", "x"])
println m
m.keySet().removeAll(["d"])
println m
m = [a: 1, b: 2, c: 3]
def it1 = m.keySet().iterator()
while (it1.hasNext()) { if (it1.next() == "b") it1.remove() }
println m
def it2 = m.entrySet().iterator()
while (it2.hasNext()) { def e = it2.next(); if (e.value == 3) it2.remove() else e.value = 10 }
println m
def it3 = m.values().iterator()
it3.next(); it3.remove()
println m
m = [x: 1]
def ks = m.keySet()
m.y = 2
println ks
println ks.size() + " " + ks.contains("y")
try { ks.add("z"); println "added" } catch (UnsupportedOperationException e) { println "unsupported" }
try { m.values().add(5); println "added" } catch (UnsupportedOperationException e) { println "unsupported" }
ks.clear()
println m
def l = [1, 2, 3, 4, 5]
def sub = l.subList(1, 4)
println sub
sub[0] = 20
println l
sub.clear()
println l
def q = [5, 1, 4, 2]
q.subList(0, 3).sort()
println q
def l2 = [1, 2, 1, 3, 1]
def i = l2.iterator()
def n = 0
while (i.hasNext()) { if (i.next() == 1 && n++ > 0) i.remove() }
println l2
def nested = [1, 2, 3, 4, 5, 6]
nested.subList(1, 5).subList(1, 3).clear()
println nested
println([b: 1, a: 2].values().sort() + [b: 1, a: 2].keySet().sort())
def mm = [b: 9, a: 2]
mm.values().sort()
mm.keySet().sort()
println mm
println mm.values().toList() << 3
println mm
def k2 = mm.keySet().findAll { it == "b" }
k2 << "q"
println mm
def k3 = mm.keySet() + ["n"]
println k3
println mm
println mm.keySet() - ["a"]
println mm
println([] .iterator() ? "yes" : "no")
println([1].iterator() ? "yes" : "no")
