// a list is one argument of a closure that may take one; else it spreads
def c = { a, b = 5 -> "$a $b" }
println c([1, 2])
println([[1, 2], [3, 4]].collect(c))
println([x: 1].collect(c))
[[1, 2]].each { a, b = 0 -> println a }
println([[1, 2], [3, 4]].every { a, b = 1 -> a instanceof List })
def c3 = { a, b = 5, d = 6 -> "$a $b $d" }
println c3([1, 2, 3])
println c3([1, 2])
def c4 = { a, b, d = 6 -> "$a $b $d" }
println c4([1, 2])
try { println c4([1]) } catch (MissingMethodException e) { println "none takes one" }
def run = { cmd, env = null, dir = null -> "${cmd.join(' ')} $env $dir" }
println run(["sh", "-c", "ls"])
println run(["sh", "-c"], [1])
def two = { a, b -> "$a+$b" }
println two([1, 2])
// the order of an enum's constants
enum E { A, B, C }
println E.A.compareTo(E.C)
println E.C.compareTo(E.A)
println(E.A <=> E.C)
println E.B.compareTo(E.B)
println([E.C, E.A, E.B].sort())
