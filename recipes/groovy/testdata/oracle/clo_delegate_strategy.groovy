name = "script"
class P { def name = "p" }
def c = { name }
c.delegate = new P()
println c()
c.resolveStrategy = Closure.DELEGATE_FIRST
println c()
c.resolveStrategy = Closure.DELEGATE_ONLY
println c()
