class D { def name = "delegate"; def hi() { "hi from D" } }
def c = { name + " " + hi() }
c.delegate = new D()
println c()
c.resolveStrategy = Closure.DELEGATE_FIRST
println c()
