def x = 1
def f = { y -> y * 10 }
try { println f(5) } catch (e) { println e }
println x
