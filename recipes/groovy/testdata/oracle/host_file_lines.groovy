// lines are counted from 1, unless told otherwise
def f = File.createTempFile("oracle", ".txt")
f.text = "one\ntwo\r\n\nfour"
f.eachLine { println "<$it>" }
f.eachLine { l, n -> println "$n $l" }
f.eachLine(0) { l, n -> println "$n $l" }
f.eachLine("UTF-8") { l, n -> println "$n $l" }
f.eachLine("UTF-8", 5) { l, n -> println "$n $l" }
println f.eachLine { it.size() }
f.withReader { r -> r.readLine(); r.eachLine { l, n -> println "r $n $l" } }
f.withReader { r -> r.eachLine(7) { l, n -> println "r $n $l" } }
f.withInputStream { s -> s.eachLine { l, n -> println "s $n $l" } }
f.newInputStream().eachLine("UTF-8", 3) { l, n -> println "s $n $l" }
f.toURI().toURL().eachLine { l, n -> println "u $n $l" }
f.toURI().toURL().eachLine(4) { l, n -> println "u $n $l" }
"a\nb".eachLine { l, n -> println "t $n $l" }
"a\nb".eachLine(2) { l, n -> println "t $n $l" }
println f.readLines()
println f.readLines("UTF-8").size()
println f.newReader().readLines()
println f.newInputStream().readLines()
println f.text.readLines()
def r = f.newReader()
println r.readLine() + r.read() + (char) r.read() + r.readLine() + r.readLine() + "|" + r.ready() + r.text + r.class.simpleName
try { r.readLine() } catch (IOException e) { println e.message }
r = new StringReader("a\rb\r\nc\n")
println r.readLines()
println f.filterLine { it.contains("o") }.toString().readLines()
def w = new StringWriter()
f.filterLine(w) { it }
println w.toString().readLines()
w = new StringWriter()
f.newReader().transformLine(w) { it.toUpperCase() }
println w.toString().readLines()
f.text = "a:1\nb:2:3\n\n"
f.splitEachLine(":") { println it }
f.splitEachLine(/:/) { p -> println p[0] + p[1] }
println f.splitEachLine(":") { it.size() }
f.newReader().splitEachLine(":") { println it.class.simpleName + it }
f.withReader { for (l in it) println "for $l" }
println f.newReader().collect { it.size() }
println f.newReader().iterator().next()
f.withInputStream { println it.read() + " " + it.read() + " " + it.available() + " " + it.skip(2) + " " + it.bytes.toList() }
def buf = new byte[4]
f.withInputStream { i -> int n; while ((n = i.read(buf)) > 0) println n + " " + buf.toList() }
f.withInputStream { i -> println i.read(buf, 1, 2) + " " + buf.toList() }
def chars = new char[3]
f.withReader { println it.read(chars) + new String(chars) + it.read(chars, 1, 1) + new String(chars) }
f.eachByte { print it + " " }
println()
f.eachByte(4) { b, n -> println "$n ${b.toList()}" }
f.withReader { it.mark(10); def x = it.readLine(); it.reset(); println x == it.readLine() }
f.text = ""
println f.readLines() + f.text.size() + f.newReader().readLine() + f.newReader().read() + f.bytes.length
f.eachLine { println "never" }
f.append("tail")
r = f.newReader()
println r.readLine() + r.readLine()
f << "\nmore\n"
println r.readLine() + "|" + r.readLine()
r.close()
try { r.read() } catch (IOException e) { println e.message }
f.delete()
