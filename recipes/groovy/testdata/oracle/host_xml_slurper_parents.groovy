def g = new XmlSlurper().parseText('<c z="c"><h n="a"><p>3</p><p>4</p></h><h n="b"><p>1</p></h></c>')
def t = { c -> try { println c() } catch (Throwable e) { println e } }
t { g.h.p.parent().getClass() }
t { g.h.p.parent().@n }
t { g.h.p.parent().size() }
t { g.h.p.parent().parent().getClass() }
t { g.h.p.parent().parent().@n }
t { g.h.p.parent().parent().@z }
t { g.h.p.parent().parent().size() }
t { g.h.@n.parent().getClass() }
t { g.h.@n.parent().@n }
t { g.h.@n.parent().@z }
t { g.h.@n[0].getClass() }
t { g.h.find{it.@n=='b'}.parent().name() }
t { g.'**'.find{it.name()=='p'}.parent().name() }
t { g.'**'.find{it.name()=='p'}.parent().parent().name() }
t { g.h.findAll{it.@n=='b'}.parent().name() }
t { g.h.findAll{it.@n=='b'}.parent().@z }
t { g.h.findAll{it.@n=='b'}.parent().getClass() }
t { g.h.collect{it.parent().name()} }
t { g.children()[0].parent().name() }
t { g.children().parent().name() + g.children().parent().@z }
t { g.h[1].p.'..'.@n }
t { g.h[1].p.parent().@n }
t { g.h[5].parent().name() + g.h[5].parent().getClass() }
t { g.h.p.parent().p.text() }
t { g.h.p.parent()*.@n }
g = new XmlSlurper().parseText('<c><h n="a"><p>3</p></h><h n="b"><p>1</p></h></c>')
println g.h[1].p.name() + g.h[1].p.size()
println g.h[1].p.parent().name()
println g.h[1].p.parent().parent().name()
println g.h[1].p[0].name()
println g.h[1].p[0].parent().name()
println g.h[1].p[0].parent().parent().name()
println g.h[1].parent().parent().name()
println g.h.p.parent().name()
println g.h.p.parent().parent().name()
println g.h.p[0].parent().parent().name()
println g.h.p.parent().size()
println g.h.@n.parent().name()
println g.h[0].@n.parent().name()
println g.h.find{it.@n=='b'}.parent().name()
println g.'**'.find{it.name()=='p'}.parent().name()
println g.'**'.find{it.name()=='p'}.parent().parent().name()
println g.h.findAll{it.@n=='b'}.parent().name()
println g.h.collect{it.parent().name()}
println g.children()[0].parent().name()
println g.h[1].p.'..'.@n
println g.h[1].p.parent().@n
