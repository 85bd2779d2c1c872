import java.io.*
def f = File.createTempFile("oracle", ".txt")
def w = new FileWriter(f); w.write("one\n"); w.append("two").append("\n"); w.close()
println f.text
w = new BufferedWriter(new FileWriter(f, true)); w.write("three"); w.newLine(); w.flush(); w.close()
println f.text
new PrintWriter(f).withWriter { it.println("p"); it.print(1); it.print(true); it.println(); it.printf("%d-%s", 5, "x") }
println f.text
def pw = new PrintWriter(new BufferedWriter(new FileWriter(f.path))); pw.println(["a", 1]); pw.println([k: 2]); pw.println((Object) null); pw.close()
println f.text
println pw.checkError()
pw = new PrintWriter(new OutputStreamWriter(new FileOutputStream(f), "ISO-8859-1"), true); pw.print("é"); pw.close()
println f.bytes.toList()
def r = new BufferedReader(new FileReader(f)); r.close()
f.text = "l1\nl2\nl3\n"
r = new BufferedReader(new FileReader(f))
def line
while ((line = r.readLine()) != null) println "<" + line + ">"
r.close()
try { r.readLine() } catch (IOException e) { println e.message }
r = new BufferedReader(new InputStreamReader(new FileInputStream(f), "UTF-8"))
println r.readLine() + r.text
println new BufferedReader(new InputStreamReader("echo hi".execute().inputStream)).readLine()
println new FileReader(f.path).text
println new FileReader(f).readLines()
new FileReader(f).eachLine { l, n -> print n + l }
println()
println new FileInputStream(f).text.size() + " " + new FileInputStream(f.path).bytes.length
def b = new ByteArrayOutputStream()
b.write(65); b.write([66, 67, 68] as byte[], 1, 2); b << "é"; b.write("x".bytes)
println b.toString() + b.size() + b.toByteArray().toList() + "$b" + b.toString("ISO-8859-1").size()
b.reset(); println b.size()
b << new ByteArrayInputStream("in".bytes); println b
b.withWriter { it << "w" }; println b
new PrintStream(b).println("ps"); println b
def ps = new PrintStream(b, true, "UTF-8"); ps.print(1); ps.printf("%s", 2); ps.println(); ps.write(65); ps.flush(); println b
println new PrintWriter(b).with { it.print("pw"); it.flush(); b.toString().endsWith("pw") }
def to = new FileOutputStream(f); b.writeTo(to); to.close(); println f.text == b.toString()
def sr = new StringReader("abc\ndef")
println sr.read() + " " + (char) sr.read() + sr.text
sr = new BufferedReader(new StringReader("abc\ndef\n"))
println sr.readLine() + sr.readLine() + sr.readLine()
println new StringReader("a\nb").readLines()
new StringReader("x y\nz").splitEachLine(" ") { println it }
def bi = new ByteArrayInputStream([1, -1, 3, 4] as byte[])
println([bi.read(), bi.read(), bi.available(), bi.read(), bi.read(), bi.read()])
bi.reset(); println bi.bytes.toList()
println new BufferedInputStream(new FileInputStream(f)).read() == f.text.charAt(0) as int
def copy = File.createTempFile("oracle", ".txt")
copy.withOutputStream { os -> new FileInputStream(f).withStream { os << it } }
println copy.text == f.text
byte[] buf = new byte[4]
def is = new FileInputStream(f), os = new BufferedOutputStream(new FileOutputStream(copy))
int n
while ((n = is.read(buf)) != -1) os.write(buf, 0, n)
is.close(); os.close()
println copy.text == f.text
def sw = new StringWriter(); def spw = new PrintWriter(sw); spw.println("in sw"); spw.print(3); spw.flush(); println sw
def kind(InputStream x) { "stream" }
def kind(Reader x) { "reader" }
def kind(Writer x) { "writer" }
def kind(OutputStream x) { "output" }
def kind(File x) { "file" }
println([kind(f), kind(f.newInputStream()), kind(f.newReader()), kind(b), kind(copy.newWriter()), kind(copy.newPrintWriter()), kind(copy.newOutputStream()), kind(new FileReader(f)), kind(System.out)])
println([f.newReader() instanceof BufferedReader, f.newInputStream() instanceof InputStream, new FileReader(f) instanceof Reader, f.newInputStream() instanceof Reader, new PrintWriter(copy) instanceof Writer, new StringWriter() instanceof Writer])
BufferedReader typed = f.newReader()
println typed.readLine()
typed.close()
println f.newReader().class.name + f.newInputStream().class.name + f.newWriter().class.name + f.newOutputStream().class.name
println new FileReader(copy).class.name + new ByteArrayOutputStream().class.name
try { new FileReader("/nowhere/x") } catch (FileNotFoundException e) { println e.message }
try { new FileInputStream(new File("/nowhere")) } catch (FileNotFoundException e) { println e.message }
try { new FileWriter("/nowhere/x") } catch (FileNotFoundException e) { println e.message }
try { new PrintWriter("/nowhere/x") } catch (FileNotFoundException e) { println e.message }
try { new FileOutputStream("/tmp") } catch (FileNotFoundException e) { println e.message }
w = new FileWriter(copy); w.close()
try { w.write("x") } catch (IOException e) { println e.message }
println System.out.class.simpleName
System.out.print("a"); System.out.println(); System.out << "b\n"; System.out.printf("%d%n", 3); System.out.write(65); System.out.println(); System.out.println([1, 2]); System.out.flush()
new PrintWriter(System.out, true).println("to out")
def p = "cat".execute()
new OutputStreamWriter(p.out).withWriter { it << "through cat" }
println p.in.newReader().readLine()
p = "cat".execute()
p.withWriter { it.println "a"; it << "b" }
println p.text
def out = new StringBuilder(), bo = new ByteArrayOutputStream()
p = ["sh", "-c", "echo o; echo e >&2"].execute()
p.consumeProcessOutput(bo, bo); p.waitFor()
p = ["printf", "x"].execute(); p.waitForProcessOutput(bo, bo)
println bo.toString().contains("x")
for (l in f.newReader()) { println l; break }
f.delete(); copy.delete()
