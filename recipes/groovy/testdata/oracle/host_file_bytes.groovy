// bytes, streams and readers written to files stay what they are
def dir = File.createTempFile("oracle", "dir")
dir.delete(); dir.mkdirs()
def show = { File f -> println f.name + " " + f.bytes.toList() }
def raw = [0, 10, 13, 127, -1, -128, 200 as byte, 65] as byte[]
def a = new File(dir, "a")
a << raw; show a
a << raw; println a.length()
a.bytes = raw; show a
a.setBytes([1, 2] as byte[]); show a
a.append([3] as byte[]); show a
def b = new File(dir, "b")
b << a.newInputStream(); show b
b.append(new ByteArrayInputStream(raw)); show b
b.append(new StringReader("é")); show b
b.withOutputStream { it.write(10); it.write(255); it.write(256 + 7); it.write(raw, 1, 2) }
show b
b.withOutputStream { out -> a.withInputStream { out << it } }
show b
b.withOutputStream { it << "t" << raw << new ByteArrayInputStream([5] as byte[]) << 12 << null }
show b
b.withWriter { it << new StringReader("read\n") << [1, 2] << null << 3; it.write(65); it.write("abcd", 1, 2); it.writeLine("l"); it.append('c' as char).append("xyz", 1, 2) }
println b.text
b.withWriter { w -> a.withReader { w << it }; w << new ByteArrayInputStream("é".bytes) }
show b
b.withPrintWriter { it.println(1.5); it.print([a: 1]); it.println(); it.printf("%03d|%s%n", 7, "x"); it << "z" }
println b.text
b.withWriterAppend { it << "more" }
println b.text
b.text = "x${1 + 1}"
println b.text
b.write("w"); b << "l" << 5 << [1]
println b.text
b.append(2.50); b.append(null); b.append("é" as Object)
println b.text
try {
    b.withWriter { it << "before"; throw new IllegalStateException("in the closure") }
} catch (IllegalStateException e) { println e.message + " " + b.text }
try {
    b.withOutputStream { it << "bytes"; throw new IllegalStateException("again") }
} catch (IllegalStateException e) { println e.message + " " + b.text }
def big = new byte[300000]
for (int i = 0; i < big.length; i++) big[i] = (byte) (i * 31)
def c = new File(dir, "c")
c.bytes = big
4.times { c << big }
def d = new File(dir, "d")
d.withOutputStream { out -> c.withInputStream { out << it } }
println d.length() + " " + (d.bytes == c.bytes) + " " + (c.bytes[1234567] == big[1234567 % 300000])
println new FileOutputStream(d).withStream { it.write(raw); 7 }
show d
new FileOutputStream(d, true).withStream { it << "x" }
show d
def fo = new FileOutputStream(d.path)
fo.write([1, 2, 3] as byte[]); fo.close()
show d
try { fo.write(1) } catch (IOException e) { println e.message }
new File(dir, "e").setText("text"); println new File(dir, "e").text
println new File(dir, "e").getBytes().length + " " + new File(dir, "e").readBytes().length
try { new File(dir, "none").text } catch (FileNotFoundException e) { println e.message - dir.path }
try { dir.text } catch (FileNotFoundException e) { println e.message - dir.path }
try { dir << "x" } catch (FileNotFoundException e) { println e.message - dir.path }
try { new File(dir, "no/x").text = "x" } catch (FileNotFoundException e) { println e.message - dir.path }
try { new File(dir, "no/x").createNewFile() } catch (IOException e) { println e.message }
dir.deleteDir()
