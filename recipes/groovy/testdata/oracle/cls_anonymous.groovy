interface Shape { def area() }
def k = 3
def s = new Shape() { def area() { k * k } }
println s.area()
def r = new Runnable() { void run() { println "run $k" } }
r.run()
abstract class Base { def n = 1; abstract f(); def g() { f() + n } }
println new Base() { def f() { 10 } }.g()
