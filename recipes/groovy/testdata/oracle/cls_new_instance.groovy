class N { def v = 3 }
println N.newInstance().v
def c = N
println c.newInstance().v
