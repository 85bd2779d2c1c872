import groovy.xml.*
def w = new StringWriter()
def x = new MarkupBuilder(w)
x.html(lang: 'de') { head { title 'T & <x>' }; body(a: 1, b: null, c: '') { p('t', k: "v'\"<\n"); p(z: 2, 'u'); br(); div { mkp.yield('<y>'); mkp.yieldUnescaped('<z/>'); b('q'); mkp.comment('com') } ; 'x:y'('n') ; e {} ; s('') ; l(['a','b']) ; n(5) } }
println w
w = new StringWriter(); x = new MarkupBuilder(w); x.doubleQuotes = true; x.omitNullAttributes = true; x.omitEmptyAttributes = true; x.expandEmptyElements = true
x.mkp.xmlDeclaration(version: '1.0', encoding: 'UTF-8')
x.root(a: null, b: '', c: 'q"\'') { empty(); mkp.pi('xml-stylesheet': [href: 'm.css', type: 'text/css']); k(1) }
println w
println new MarkupBuilder(new StringWriter()).a { b() }
new MarkupBuilder().config { ['a', 'b'].each { i -> item(name: i, i * 2) }; if (true) flag() }
println()
def mk = new MarkupBuilder(new PrintWriter(System.out, true))
mk.'soap:Envelope'('xmlns:soap': 'urn:s') { 'soap:Body'() }
println()
w = new StringWriter(); x = new MarkupBuilder(w); x.escapeAttributes = false
x.a(b: '&amp;') { c('x') { d('y') }; mkp.yield 'tail' }
println w
w = new StringWriter(); x = new MarkupBuilder(w)
x.one(1); x.two(2)
println w
def nb = new NodeBuilder()
println nb.people { person(name: 'x', 'txt') { }; person2() }
def n = new NodeBuilder().a(k: 1) { b('t'); c { d() } }
println n.b.text() + n.c[0].d.size() + n.@k
println new StreamingMarkupBuilder().bind { namespaces << [z: 'urn:z']; z.a(1) { 'z.b'(); z.c('z$k': 5) } }
try { println new StreamingMarkupBuilder().bind { zz.a() } } catch (e) { println e }
def smb = new StreamingMarkupBuilder(); smb.expandEmptyElements = true
println smb.bind { a { b(); c { "${1 + 1}" }; d("${2}") ; e(null) ; unescaped << '<raw/>'; comment << 'cc'; pi << [t: 'i']} }
def ww = new StringWriter(); smb.bind { a 1 }.writeTo(ww); println ww
def items = [[n: 'a', v: 1], [n: 'b', v: 2]]
println new StreamingMarkupBuilder().bind { list { items.each { i -> item(name: i.n, i.v) } } }.toString()
