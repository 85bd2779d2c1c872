def a = new ConfigSlurper().parse("x = 1\ny { z = 2; w = 3 }")
def b = new ConfigSlurper().parse("y { z = 20 }\nq = 4")
a.merge(b)
println a.x
println a.y.z
println a.y.w
println a.q
