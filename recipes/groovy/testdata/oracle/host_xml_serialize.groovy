import groovy.xml.*
String tidy(x) { XmlUtil.serialize(x).replace('?><', '?>\n<').readLines().findAll { it.trim() }.join('\n') }
def src = '''<?xml version="1.0"?>
<Server port="8005" shutdown="SHUT">
  <!-- a comment -->
  <Service name="Catalina"><Connector port="8080" sslProtocol='T"L' a="&lt;&#10;&amp;"/>
    <Engine name="E"><Host>a &amp; b</Host></Engine>
    <E2/><E3></E3><T>  a &lt; "q" 'r' </T>
  </Service>
</Server>'''
println tidy(new XmlParser().parseText(src))
println tidy(new XmlSlurper().parseText(src))
println tidy('<a><b>x</b><c d="&quot;1&apos;&lt;&gt;&#10;&#9;"/>tail</a>')
println tidy('<a>t</a>')
println tidy('<a/>')
println tidy('<a><?pi z?><!--k--><b/></a>')
println tidy(new XmlParser().parseText('<x:r xmlns:x="urn:x"><x:k/><j xmlns="urn:j">t</j></x:r>'))
println tidy(new XmlSlurper().parseText('<x:r xmlns:x="urn:x"><x:k/><y:j xmlns:y="urn:j">t</y:j></x:r>'))
def w = new StringWriter()
XmlUtil.serialize(new XmlParser().parseText('<a><b>\u00e9</b></a>'), w)
println w.toString().endsWith('</a>\n') || w.toString().endsWith('</a>' + System.getProperty('line.separator'))
println new XmlSlurper().parseText(XmlUtil.serialize(new XmlSlurper().parseText(src))).Service.Connector.@port
println XmlUtil.escapeXml('"<&>\'')
try { XmlUtil.serialize('<a>') } catch (e) { println 'bad' }
