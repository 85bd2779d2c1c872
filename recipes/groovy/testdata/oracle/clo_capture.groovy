def n = 0
def inc = { n++ }
inc()
inc()
println n
def makeCounter() { def c = 0; return { ++c } }
def a = makeCounter()
def b = makeCounter()
a(); a()
println a()
println b()
