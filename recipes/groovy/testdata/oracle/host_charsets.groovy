import java.nio.charset.*
def f = File.createTempFile("oracle", ".txt")
def s = "aé€\n"
["UTF-8", "utf8", "ISO-8859-1", "latin1", "US-ASCII", "UTF-16", "UTF-16BE", "UTF-16LE", "windows-1252", "Cp1252", "ISO-8859-15", "UTF-32", "IBM850"].each { cs ->
    println cs + " " + s.getBytes(cs).toList() + " " + new String(s.getBytes(cs), cs).trim()
    f.bytes = s.getBytes(cs)
    println f.getText(cs) == new String(s.getBytes(cs), cs)
    println f.readLines(cs)
    f.withReader(cs) { print it.readLine() + it.read() }
    println f.newReader(cs).text.trim() + f.newInputStream().getText(cs).trim() + f.newInputStream().newReader(cs).readLine()
    if (!cs.startsWith("UTF-16") ) {
        f.write(s, cs); println f.bytes.toList()
    }
    f.text = ""
    f.withWriter(cs) { it.write("é"); it << "a"; it.println("€") }
    if (!(cs ==~ /UTF-16.E/)) println f.bytes.toList()
    f.append("ü", cs)
    println f.bytes.toList()[-2..-1]
    println f.getText(cs).size() > 2
}
f.setText("é", "ISO-8859-1"); println f.bytes.toList()
f.newWriter("ISO-8859-1").withWriter { it << "ö" }; println f.bytes.toList()
f.newWriter("ISO-8859-1", true).withWriter { it << "ö" }; println f.bytes.toList()
f.withPrintWriter("ISO-8859-1") { it.println "ö" }; println f.bytes.toList()
f.withWriterAppend("ISO-8859-1") { it << "ä" }; println f.bytes.toList()
f.bytes = [0xef, 0xbb, 0xbf, 65, 10] as byte[]
println f.text.size() + " " + f.readLines() + f.getText("UTF-8").size()
f.bytes = [0xff, 65, 0xc3, 0xa9, 0xe2, 0x82] as byte[]
println new String(f.bytes, "UTF-8").size()
println new String([65, 66, 67] as byte[], 1, 2) + new String([65, 66, -23] as byte[], 1, 2, "ISO-8859-1") + new String([-23] as byte[], StandardCharsets.ISO_8859_1)
println "é".getBytes(StandardCharsets.UTF_8).toList() + Charset.forName("latin1").name() + Charset.forName("utf8") + Charset.defaultCharset().name().size()
println Charset.isSupported("UTF-8") && !Charset.isSupported("nope")
println StandardCharsets.UTF_8 == Charset.forName("UTF-8")
[{ f.getText("nope") }, { f.write("x", "nope") }, { "a".getBytes("nope") }, { new String([1] as byte[], "nope") }, { f.withReader("nope") { } }, { f.withWriter("nope") { } }, { f.eachLine("nope") { } }, { Charset.forName("nope") }, { new InputStreamReader(f.newInputStream(), "nope") }, { f.newInputStream().getText("nope") }, { new OutputStreamWriter(new ByteArrayOutputStream(), "nope") }].each {
    try { it(); println "fine" } catch (UnsupportedEncodingException e) { println "encoding " + e.message } catch (IllegalArgumentException e) { println e.class.name + " " + e.message }
}
["UTF-16LE", "UTF-16BE", "UTF-16"].each { cs ->
    f.delete(); f.write("a", cs); println "$cs ${f.bytes.toList()} ${f.getText(cs).size()} ${f.text.size()}"
    f.delete(); f.withWriter(cs) { it << "a" << "b" }; println f.bytes.toList()
    f.delete(); f.append("a", cs); println f.bytes.toList()
    f.append("b", cs); println f.bytes.toList()
    f.withWriterAppend(cs) { it << "c" }; println f.bytes.toList()
    f.withPrintWriter(cs) { it << "c" }; println f.bytes.toList()
    f.setText("é", cs); println f.bytes.toList()
    f.newWriter(cs).withWriter { it << "c" }; println f.bytes.toList()
    println f.text.size() + f.readLines().toString()
}
def tryAll = { f.setText("x", it) } 
[{ f.append("x", "nope") }, { f.newWriter("nope") }, { f.withPrintWriter("nope") { } }, { f.withWriterAppend("nope") { } }, { f.setText("a", "nope") }].each {
    try { it(); println "fine" } catch (UnsupportedEncodingException e) { println "encoding " + e.message } catch (IllegalArgumentException e) { println e.class.name + " " + e.message }
}
f.delete()
