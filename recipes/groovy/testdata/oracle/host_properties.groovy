def text = '''# comment
! other
a=1
b : two words \\
     continued
c\tthree
d
 e\\ f = g=h
sp\\u00e9c=\\u20ac\\t|\\n|\\\\|\\q
empty=
k\\=1=v\\:2
last=x\\'''
def p = new Properties()
p.load(new StringReader(text))
println p.sort()
println p.size() + p.a + p["b"] + p.getProperty("c") + p.getProperty("none") + p.getProperty("none", "deflt") + p.getProperty("a", "x") + p.none
println p.keySet().collect { it }
println p.stringPropertyNames()
println p.propertyNames().toList()
def e = p.propertyNames(); println "" + e.hasMoreElements() + " " + e.nextElement().class.simpleName
p.each { k, v -> print k + ">" + v + ";" }
println()
println p.setProperty("a", "2") + p.a + p.remove("a") + "" + p.containsKey("a") + p.setProperty("new", "1")
p.x = "y"; p["z"] = "w"
println p.getProperty("x") + p.z + p.getClass().name + " ${p instanceof Map} ${p instanceof Hashtable}"
def f = File.createTempFile("oracle", ".properties")
f.withOutputStream { p.store(it, "saved é") }
def body = { f.readLines().findAll { !(it =~ /^#\w\w\w \w\w\w \d/) } }
println body()
println f.readLines()[1] ==~ /#\w{3} \w{3} \d\d \d\d:\d\d:\d\d \w+ \d{4}/
f.withWriter { p.store(it, null) }
println body()
def q = new Properties()
f.withInputStream { q.load(it) }
println q.size() + " " + (q == p)
f.withOutputStream { p.store(it, "two\nlines") }
println body().size()
q = new Properties(); f.withReader { q.load(it) }; println q == p
q = new Properties(); new FileInputStream(f).withStream { q.load(it) }; println q == p
q = new Properties(); q.load(f.newInputStream()); println q.size() == p.size()
f.bytes = [107, 61, 0xe9] as byte[]
q = new Properties(); f.withInputStream { q.load(it) }; println q.k
q.load(new ByteArrayInputStream("k2=v2".bytes)); println q.sort()
println new ConfigSlurper().parse(q).k2
def n = new Properties(); 30.times { n["key$it".toString()] = "v" }; println n.keySet().toList()
def m = new Properties(); 12.times { m["some.${it}.name".toString()] = "v" }; println m.keySet().toList()
def o = new ByteArrayOutputStream(); def l = new Properties(); l.long = "x" * 50; l.list(new PrintStream(o)); println o
l.list(System.out)
try { l.load(new StringReader('a=\\u12')) } catch (IllegalArgumentException x) { println x.message }
try { l.n = 5; l.store(new StringWriter(), null) } catch (ClassCastException x) { println "cast" }
println System.setProperty("oracle.x", "1") + System.getProperty("oracle.x") + System.setProperty("oracle.x", "2") + System.properties["oracle.x"] + System.properties.getProperty("oracle.x")
println System.clearProperty("oracle.x") + System.getProperty("oracle.x") + System.getProperty("oracle.x", "d")
System.properties["oracle.y"] = "z"; println System.getProperty("oracle.y") + System.getProperties().getProperty("oracle.y")
println System.lineSeparator().size() + System.getProperty("file.separator") + System.getProperty("os.name")
f.delete()
