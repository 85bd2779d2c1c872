def m=[size:{5}, go:{7}, each: {c -> 3}]
println m.size()
println m.go()
println m.each { }.getClass().simpleName
class Ver implements Comparable<Ver> { int n; int compareTo(Ver o) { n <=> o.n } }
def t = new TreeMap()
t[new Ver(n: 1)] = 1
println t.size()
println t.firstKey().n
try { println true + " x" } catch (MissingMethodException e) { println "no plus" }
try { println new Object() + " x" } catch (MissingMethodException e) { println "no plus" }
try { println new Date(0) + " x" } catch (MissingMethodException e) { println "no plus" }
try { println({} + " x") } catch (MissingMethodException e) { println "no plus" }
println 1 + " x"
println null + " x"
println([1] + " x")
def o = [name: "x", greet: { String s -> "hi " + s }, get: { 9 }, keySet: { 1 }]
println o.greet("you")
println o.get("name")
println o.keySet()
