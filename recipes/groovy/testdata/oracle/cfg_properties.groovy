def p = new Properties()
p.setProperty("a.b", "1")
p.setProperty("c", "2")
def c = new ConfigSlurper().parse(p)
println c.a.b
println c.c
