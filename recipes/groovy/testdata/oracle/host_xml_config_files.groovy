import groovy.xml.*
def dir = File.createTempFile('xml', '')
dir.delete(); dir.mkdirs()
def core = new File(dir, 'core-site.xml')
core.text = '''<?xml version="1.0"?>
<?xml-stylesheet type="text/xsl" href="configuration.xsl"?>
<configuration>
  <property><name>fs.default.name</name><value>file:///</value></property>
  <property><name>hadoop.tmp.dir</name><value>/tmp</value></property>
</configuration>'''
def conf = new XmlParser().parse(core)
def set = { k, v ->
  def p = conf.property.find { it.name.text() == k }
  if (p) p.value[0].value = v
  else conf.appendNode('property').with { appendNode('name', k); appendNode('value', v) }
}
set('fs.default.name', 'hdfs://node1:9000')
set('dfs.replication', 3)
core.withWriter { w -> new XmlNodePrinter(new PrintWriter(w)).print(conf) }
println core.text
println new XmlSlurper().parse(core.path).property.collectEntries { [it.name.text(), it.value.text()] }
def server = new File(dir, 'server.xml')
server.text = '<Server port="8005"><Service name="Catalina"><Connector port="8080" protocol="HTTP/1.1"/><Connector port="8009" protocol="AJP/1.3"/><Engine defaultHost="localhost"/></Service></Server>'
def s = new XmlSlurper().parse(server)
s.@port = '-1'
s.Service.Connector.find { it.@protocol == 'HTTP/1.1' }.@port = '80'
s.Service.Connector.findAll { it.@protocol.text().startsWith('AJP') }.replaceNode { }
s.Service.Engine.@jvmRoute = "node" + 1
s.Service.Engine.appendNode { Realm(className: 'R') { 'nested'('x') } }
server.withWriter { w -> w << new StreamingMarkupBuilder().bind { mkp.yield s } }
println server.text
def again = new XmlSlurper().parse(server)
server.withWriter { w -> XmlUtil.serialize(again, w) }
println new XmlParser().parse(server).depthFirst().collect { it instanceof Node ? it.name() : it }
println server.withReader { r -> new XmlParser().parse(r).Service.@name }
println server.withInputStream { i -> new XmlSlurper().parse(i).Service.Connector.size() }
def f = new File(dir, 'b.xml')
f.withWriter('UTF-8') { w ->
  def x = new MarkupBuilder(w)
  x.mkp.xmlDeclaration(version: '1.0')
  x.beans { (1..2).each { n -> bean(id: "b$n") { property(name: 'p', value: n) } } }
}
println f.text
try { new XmlSlurper().parse(new File(dir, 'none.xml')) } catch (FileNotFoundException e) { println 'fnf' }
try { new XmlParser().parse(new File(dir, 'none.xml').path) } catch (IOException e) { println 'io' }
dir.deleteDir()
