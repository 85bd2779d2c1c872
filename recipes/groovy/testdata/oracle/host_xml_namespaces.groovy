import groovy.xml.*
// namespaces slurper
def s = new XmlSlurper().parseText('<r xmlns="urn:d" xmlns:x="urn:x" x:at="1" y="2"><x:k x:z="3">one</x:k><k>two</k><j/></r>')
println s.k.size() + ' ' + s.'x:k'.size() + ' ' + s.name() + ' ' + s.namespaceURI()
s.declareNamespace(x: 'urn:x', d: 'urn:d')
println s.'x:k'.text() + s.'d:k'.text() + s.':k'.size()
println s.'@x:at'.text() + s.@y + s.@at.text() + s.k[0].'@x:z'
println s.attributes()
println s.lookupNamespace('x') + s.lookupNamespace('') + s.lookupNamespace('q')
// features
def dt = '<?xml version="1.0"?>\n<!DOCTYPE web-app PUBLIC "-//Sun//DTD" "http://127.0.0.1:1/web.dtd">\n<web-app><servlet>s</servlet></web-app>'
for (p in [new XmlSlurper(), new XmlParser()]) {
  try { p.parseText(dt) } catch (org.xml.sax.SAXParseException e) { println e.lineNumber + ' ' + e.columnNumber + ' ' + e.message }
  p.setFeature('http://apache.org/xml/features/disallow-doctype-decl', false)
  p.setFeature('http://apache.org/xml/features/nonvalidating/load-external-dtd', false)
  println p.parseText(dt).servlet.text()
}
println new XmlSlurper(false, false, true).parseText('<!DOCTYPE a><a>x</a>').text()
println new XmlSlurper(false, false).parseText('<x:a xmlns:x="u" x:b="1"><x:c>1</x:c></x:a>').attributes()
println new XmlSlurper(false, false).parseText('<x:a xmlns:x="u" x:b="1"><x:c>1</x:c></x:a>').'x:c'.text()
try { new XmlSlurper().parseText('<a>') } catch (org.xml.sax.SAXException e) { println 'sax ' + e.class.name }
println new XmlSlurper().parse(new StringReader('<a>r</a>')).text()
println s instanceof groovy.util.slurpersupport.GPathResult
def q = new QName('urn:x', 'k', 'x')
println q.localPart + q.namespaceURI + q.prefix + q.qualifiedName + q + (q == new QName('urn:x', 'k')) + q.matches('x:k') + (q == 'urn:x:k') + q.matches('k')
