interface Greeter { String greet(String n); }
class En implements Greeter { String greet(String n) { "Hello $n" } }
def g = new En()
println g.greet("x")
println g instanceof Greeter
def c = { "Hi $it".toString() } as Greeter
println c.greet("y")
def m = [greet: { "Yo $it".toString() }] as Greeter
println m.greet("z")
