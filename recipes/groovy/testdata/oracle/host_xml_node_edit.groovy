def n = new XmlParser().parseText('<c><h n="a"><p>3</p></h><h n="b"><p>1</p></h></c>')
println n.h*.@n
println n?.@q
def z = null
println z?.@q
println n.h[0]?.@n
println n.h.p*.text()
println n.h*.p*.text()
println n.h*.attributes()
n.h[0].@'x-y' = '5'
println n.h[0].@'x-y' + n.h[0].'@x-y'
def k = 'n'
println n.h[0]."@$k" + n.h[0].@"$k" + n.h[0]['@' + k] + n.h[0].attributes()[k] + n.h[0].attribute(k)
n.h[0].attributes()['z'] = 1
n.h[0].attributes().each { kk, v -> print "$kk=$v " }
println()
n.h[0].attributes().remove('z')
println n.h[0].attributes().keySet()
n.h.each { it.p[0].value = it.p.text() + '!' }
println n.h.p*.text()
n.h[0].p[0].value = 'q'
n.h[0].children() << new Node(null, 'new', 'v')
n.h[0].children().add(0, new Node(null, 'zero'))
println n.h[0].children()*.name()
println n.h[0].new[0].parent()
n.h[1].children().clear()
println n.h[1]
n.h.findAll { it.@n == 'a' }.each { n.remove(it) }
println n
println n.h.size() + n.h.first().@n + n.h.last().@n
println n.h.@n.contains('b')
try { println n.h.findAll { true }.@n } catch (e) { println e.class.simpleName }
println n.h.findAll { true }*.@n
println n.h.@zz
