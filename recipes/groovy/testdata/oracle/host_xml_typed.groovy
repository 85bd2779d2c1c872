import groovy.util.slurpersupport.GPathResult
import groovy.util.slurpersupport.NodeChild
import groovy.xml.MarkupBuilder
GPathResult g = new groovy.util.XmlSlurper().parseText('<a><b c="1">x</b></a>')
Node n = new groovy.util.XmlParser().parseText('<a><b c="1">x</b></a>')
def f(Node x) { 'node ' + x.name() }
def f(GPathResult x) { 'path ' + x.name() }
println f(n) + f(g)
NodeList l = n.b
println l.size()
String t = n.b.text(); println t
def (p, q) = [g.b.text(), n.b.@c[0]]
println p + q
println n.b[0].'@c'.toInteger() + 1
println "${n.b.text()} ${n.b[0].@c} ${g.b.@c}"
def m = n.b.collectEntries { [it.@c, it.text()] }
println m
println n.b.any { it.@c == '1' } && n.b.every { it.@c }
println n.b.inject('') { a, b -> a + b.text() }
println g.b.@c.toInteger() + g.b.@c.text().toInteger()
int port = g.b.@c.toInteger()
println port
switch (n.name()) { case 'a': println 'A'; break }
n.b*.setValue('y'); println n.b.text()
n.b.each { it.setValue(it.text() * 2) }; println n.b.text()
println n.b[0].parent() == n
println n.b[0].parent().is(n)
assert n.b.size() == 1
println new Node(null, 'r', [x: 1], [new Node(null, 'k', 'v')]).k.text()
println g.b.@c.getClass() == g.b.@c.getClass()
println n.getClass() == Node
println n.b instanceof NodeList
def w = new StringWriter()
new MarkupBuilder(w).with { root { item(id: 1) } }
println w
def build = { b -> b.x { y(1) } }
w = new StringWriter(); build(new MarkupBuilder(w)); println w
class R { def mk(b, v) { b.r { vv(v); inner(b) } } ; def inner(b) { b.z() } }
w = new StringWriter(); new R().mk(new MarkupBuilder(w), 5); println w
w = new StringWriter(); def mb = new MarkupBuilder(w)
mb.list { for (i in 1..2) { item(i) { sub(i) } } }
println w
println mb.doubleQuotes
mb.setDoubleQuotes(true); println mb.getDoubleQuotes()
w = new StringWriter(); new XmlNodePrinter(new PrintWriter(w)).print(n); println w
n.b[0].replaceNode(new Node(null, 'neu', [k: 'v'], 'w')); println n
println n.neu[0].parent().name()
def removed = n.neu.each { n.remove(it) }; println removed.size()
println new XmlParser().parseText('<a xml:lang="de" xml:space="preserve"/>').attributes()
println new XmlParser().parseText('<w xmlns="urn:w"><s><n>x</n></s></w>').s.n.text()
println new XmlParser().parseText('<w xmlns="urn:w"><s><n>x</n></s></w>').s[0].name().localPart
println new XmlParser().parseText('<w xmlns="urn:w"><s/></w>').'**'*.name()*.localPart
println new XmlParser().parseText('<w xmlns="urn:w"><s/></w>').s[0].name() == 's'
