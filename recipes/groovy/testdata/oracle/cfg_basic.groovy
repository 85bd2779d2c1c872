def c = new ConfigSlurper().parse('''
a = 1
b { c = "x"; d { e = [1, 2] } }
f.g.h = "deep"
''')
println c.a
println c.b.c
println c.b.d.e
println c.f.g.h
println c.nothing
println c.nothing.class.simpleName
println c.keySet()
println c.b.getClass().simpleName
