def l = []
l.with { add(1); add(2); size() }
println l
println "abc".with { toUpperCase() + length() }
def m = [a: 1].with { a + 5 }
println m
class Q { int x; int y }
def q = new Q().with { x = 3; y = 4; it }
println q.x + q.y
