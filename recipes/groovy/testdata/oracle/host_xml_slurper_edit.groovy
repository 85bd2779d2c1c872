import groovy.xml.*
def g = new XmlSlurper().parseText('<r a="1" b="2" c="3" n="x"><k id="1">one</k><k id="2">two</k><p>8080</p><e/></r>')
println g.nothing ? 'T' : 'F'
println g.k ? 'T' : 'F'
println g.e ? 'T' : 'F'
println g.k[5] ? 'T' : 'F'
println g.@zz ? 'T':'F'
println g.@a ? 'T':'F'
println g.k.find{false} ? 'T':'F'
println g.k.findAll{false} ? 'T':'F'
println g.k == 'onetwo'
println 'onetwo' == g.k
println g.k[0] == 'one'
println 'one' == g.k[0]
println g.k[0] != 'one'
println (['one','two'].contains(g.k[0]))
println (g.k.list().contains('one'))
println (g.k*.text())
println g.k.@id*.text()
println g.k.@id
println g.k.collect{it.@id}.getClass()
println g.k.collect{it.@id}
println g.k[0] in ['one']
println g.k.size() + ' ' + g.nothing.size() + ' ' + g.size()
println g.k[0].attributes()
println g.attributes()
println g.k.isEmpty()
println g.p.toInteger() + 1
try { println g.p + 'x' } catch (e) { println e }
println 'x' + g.k
println "${g.k[1]}"
g.@a = 5
println g.@a
println g.depthFirst().collect{it.name()}
println g.breadthFirst().collect{it.name()}
println g.children()*.name()
println g.'*'.size()
println g.'**'.findAll{ it.name() == 'k' }*.text()
println g.k[0].parent().name() + g.k.parent().name() + g.parent().name()
switch (g.k[0]) { case 'one': println 'sw one'; break; default: println 'sw none' }
println new StreamingMarkupBuilder().bind { mkp.xmlDeclaration(); a(x:'1"\'<\n\t>') { b('é <&>"\''); c(); d(null); e(5); f(['x','y']); mkp.yield('<y>'); mkp.yieldUnescaped('<z/>'); mkp.comment(' k '); out << 'o'; mkp.pi(t:[a:1]) } }
def smb = new StreamingMarkupBuilder(); smb.encoding='UTF-8'; smb.useDoubleQuotes = true
println smb.bind { mkp.xmlDeclaration(); mkp.declareNamespace('':'urn:d', x:'urn:x'); a(x:'é"') { x.b('é') } }
println XmlUtil.escapeXml('<a b="c\'">&é')
println XmlUtil.escapeControlCharacters('a\nb')
println smb.bindNode(g)
g.k[0].replaceBody('neu')
g.appendNode { nn(q:'1') { mm 'text' } }
g.k[1].replaceNode { n -> zwei(n.text()) }
g << { kk() }
g.appendNode('plain<')
println smb.bindNode(g)
println g.k*.text()
println g.nn.size()
g.p = '9090'
g.e = { ee('x') }
println smb.bind{ mkp.yield g }
println smb.bind{ out << g.k }
