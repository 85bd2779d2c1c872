def s = new XmlSlurper(false, false).parseText('<x:a xmlns:x="u" x:b="1"><x:c>1</x:c><c>2</c></x:a>')
println s.children()*.name()
println s.'x:c'.size() + ' ' + s.c.size() + ' ' + s.c.text() + ' ' + s.name()
println s.'@x:b'
println s.'@x:b'.size()
println s.attributes()
s.declareNamespace(x: 'u')
println s.'x:c'.text()
def p = new XmlParser(false, false).parseText('<x:a xmlns:x="u" x:b="1"><x:c>1</x:c><c>2</c></x:a>')
println p.'x:c'.text() + p.c.text() + p.'@x:b' + p.attributes()
// iteration & list things
def g = new XmlSlurper().parseText('<c><h n="a"><p>3</p></h><h n="b"><p>1</p></h><h n="c"><p>2</p></h></c>')
println g.h.collect { it.@n.text() + it.p.text() }.join(',')
println g.h.sort { it.p.toInteger() }*.@n
println g.h.max { it.p.toInteger() }.@n
println g.h.findAll { it.@n != 'b' }.collect { it.@n.toString() }
println g.h.find { it.@n == 'b' }.p
println g.h.find { it.@n == 'zz' }.p.text().inspect()
println g.h.any { it.p == '1' } 
println g.h.every { it.p.text().isInteger() }
println g.h.list().size() + g.h.toList().size()
println g.h[0..1].size()
println g.h[-1].@n
println g.h.eachWithIndex { it, i -> print "$i${it.@n} " }.size()
g.h.each { print it.@n; print ' ' }
for (x in g.h) print x.@n.text() + ';'
println()
println g.h.inject(0) { acc, x -> acc + x.p.toInteger() }
println g.h.sum { it.p.toInteger() }
println g.h.groupBy { it.p.toInteger() % 2 }.collectEntries { k, v -> [k, v*.@n*.text()] }
println g.h.collectEntries { [it.@n.text(), it.p.toInteger()] }
println g.h.count { it.p.toInteger() > 1 }
println g.h.@n.list()*.text()
println g.h.@n.collect { it.text().toUpperCase() }
println g.h.@n.findAll { it.text() > 'a' }.size()
println g.h.p.@q.size() + ' ' + g.h.p.@q.isEmpty() + ' [' + g.h.p.@q + ']'
println g.h.'@n'.text()
println g['h'][1]['@n']
println g.h.p[1].text()
println g.h[1].p.parent().parent().name()
println g.'**'.find { it.name() == 'p' && it.text() == '2' }.parent().@n
println g.depthFirst().find { it.@n == 'c' }.p
println g.h.findAll { it.p.toInteger() > 1 }.p*.text()
println g.h.findAll { it.p.toInteger() > 1 }.@n*.text()
println g.h.children().size() + ' ' + g.h.children()*.name()
String str = g.h[0].p
println str + str.class.simpleName
println (g.h[0].p as String)
println "${g.h[0].p}".toInteger() + 1
def m = [:]; m[g.h[0].@n.text()] = 1; println m
println g.h[0].p.text() as int
println g.h.@n.text().contains('b')
println g.h.size() > 2 ? 'many' : 'few'
if (g.h[0].p == 3) println 'num eq'
println g.h[0].p == 3
println g.h[0].p.equals('3')
println g.h.@n == 'abc'
println g.h.first().@n.text() + g.h.last().@n.text()
println g.zz.yy.@xx.text().inspect() + g.zz.size()
try { println g.h.trim() } catch (MissingMethodException e) { println 'mme' }
try { println g.getFoo() } catch (MissingMethodException e) { println 'mme2' }
try { println g.zz.toInteger() } catch (NumberFormatException e) { println 'nfe' }
try { println g[3] } catch (e) { println e.class.simpleName }
println g.h.@n*.name()
println g.h.name() + ' ' + g.name() + ' ' + g.h.@n.name()
println g.h[0].p.name()
println g.h[1].parent().h.size()
println g.h.parent().name()
println g.h[0].'..'.name()
println g.breadthFirst()*.name()
println g.h.depthFirst()*.name()
println g.h.breadthFirst()*.name()
