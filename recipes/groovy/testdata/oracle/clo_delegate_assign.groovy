class Box { def port = 1; def name = "box" }
def outer = 5
def box = new Box()
def c = { port = 8080; name = "changed"; outer = 6 }
c.delegate = box
c()
println box.port + " " + box.name + " " + outer
def d = { port = 9090 }
d.delegate = box
d.resolveStrategy = Closure.DELEGATE_FIRST
d()
println box.port
box.with { port = 7 }
println box.port
