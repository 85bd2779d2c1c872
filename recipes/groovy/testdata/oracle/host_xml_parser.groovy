import groovy.xml.*
def n = new XmlParser().parseText('<r xmlns:x="urn:x" a="1"><k id="1" x:z="9">one</k><k id="2">two</k><p>8080</p><e/><x:q>Q</x:q>mixed</r>')
println n.k.@id
println n.k.'@id'
println n.k[0].@id
println n.k[0]['@id']
println n.k[0].attributes()
println n.name() + ' ' + n.k.getClass() + ' ' + n.getClass()
println n.'x:q'.text()
def x = new Namespace('urn:x','x')
println n[x.q].text()
println n[x.q][0].name().getClass()
println n.k[0].attribute(x.z) + ' ' + n.k[0].attributes()[x.z]
println n.'*'.size() + ' ' + n.children().size()
println n.'**'.size()
println n.'**'.collect { it instanceof Node ? it.name().toString() : it }
println n.breadthFirst().collect { it instanceof Node ? it.name().toString() : it }
println n.text()
println n.localText()
println n.k.text()
println n.k*.text()
println n.zz
println n.zz.text() + '|' + n.zz[0] + '|' + n.zz.size() + (n.zz ? 'T':'F') + (n.e ? 'T':'F')
println n.e[0].text().inspect() + n.e[0].value().getClass() + n.k[0].value().getClass()
n.k[0].@id = 'neu'
n.k[1].value = 'zwei'
n.p[0].setValue('99')
n.e[0].value = 5
println n
def c = n.appendNode('new', [a: 1, b: 'x'], 'text')
println c.getClass().name + c
n.appendNode('n2')
n.appendNode('n3', 'v')
n.appendNode('n4', [q: 'r'])
def d = new Node(n, 'made', [z: 1], 'val')
new Node(n, 'made2')
def f = new Node(null, 'free', 'x')
println n.append(f)
println f.parent().name()
println n.remove(n.k[0])
println n.k*.text()
n.n3[0].replaceNode { r3(x: 1) { inner('i') }; r4() }
println n.r3 + n.r4
n.n4[0].plus { after('z') }
n.n2.replaceNode { other() }
println n.children().collect { it instanceof Node ? it.name().toString() : it }
println n.find { it instanceof Node && it.name() == 'p' }.text()
println n.findAll { it instanceof Node && it.@z }*.name()
println n.collect { it.getClass().simpleName }
println n.depthFirst().findAll { it instanceof Node && it.@a }.collect { it.name().toString() }
try { n.replaceNode { a() } } catch (e) { println e }
try { println n.size() } catch (e) { println e.class }
println n.children().getClass()
n.k.@id = 'all'
println n.k.@id
for (y in n) print(y.getClass().simpleName + ' ')
println()
println n == n
println n.k == n.k
println n.k[0] == n.k[0].clone()
println (n.k + n.p)
println ((n.k + n.p).getClass())
println n.k.collect{it}.getClass()
println n.k.findAll{true}.getClass()
n.p[0].attributes().remove('zz'); n.k[0].attributes().remove('id'); n.k[0].attributes().put('u', 'v')
println n.k[0]
n.children().remove(n.p[0])
println n.p
n.made[0].parent().remove(n.made[0])
println n.made
new XmlNodePrinter(new PrintWriter(System.out), '    ').print(n)
def sw = new StringWriter()
def pr = new XmlNodePrinter(new PrintWriter(sw)); pr.preserveWhitespace = true; pr.print(n); print sw
sw = new StringWriter(); pr = new XmlNodePrinter(new PrintWriter(sw), '', "'"); pr.namespaceAware = false; pr.expandEmptyElements = true; pr.print(new XmlParser().parseText('<a b="\'&quot;&#10;&lt;"><c/><d/>x\'"&gt;</a>')); print sw
new XmlNodePrinter().print(new XmlParser(false,false).parseText('<x:a xmlns:x="u" x:b="1"><x:c/></x:a>'))
new XmlNodePrinter().print(new XmlParser().parseText('<x:a xmlns:x="u" x:b="1"><x:c/><d xmlns="e"/></x:a>'))
println new XmlParser().parseText('<a>  <b>  </b> x  <c> y </c></a>')
def p = new XmlParser(); p.trimWhitespace = true
println p.parseText('<a>  <b>  </b> x  <c> y </c></a>')
p = new XmlParser(); p.keepIgnorableWhitespace = true
println p.parseText('<a>  <b>  </b> x  <c> y </c></a>').children().inspect()
println new XmlSlurper().parseText('<a>  <b>  </b> x  <c> y </c></a>').text().inspect()
println new XmlParser().parseText('<a>x<!-- c -->y<![CDATA[<z>]]>&amp;&#65;</a>').children().inspect()
println new XmlParser().parseText("<a b='x\ny\t&#10;z'>1\r\n2\r3</a>").inspect()
