def c = new ConfigSlurper().parse("a = 1\nb { c = 'x'; d = 2 }\ne.f = true")
def w = new StringWriter()
c.writeTo(w)
println w.toString()
