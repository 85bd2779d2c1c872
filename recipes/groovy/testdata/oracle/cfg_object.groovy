def c = new ConfigObject()
c.a.b.c = 5
c.x = [1]
println c
println c.a.b.c
println c.isSet("x")
