class F { final int x = 5 }
def f = new F()
println f.x
try { f.x = 6 } catch (e) { println e.class.simpleName }
