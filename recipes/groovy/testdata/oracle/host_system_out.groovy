class P { String n; String toString() { "P<$n>" } }
def p = new P(n: "a")
System.out.println(p)
System.out.print(p); System.out.println()
System.out.println(null)
System.out.print(null); System.out.println()
System.out.println(['a', 'b'] as char[])
System.out.println("g${1 + 1}")
System.out.println([p, 1])
System.out.println([k: p])
System.out.println('c' as char)
System.out.println(1.50)
System.out.println(true)
System.out << "x" << p << 3 << "\n"
System.out.write(65); System.out.println()
System.out.write("bytes".bytes); System.out.println()
System.out.write("bytes".bytes, 1, 3); System.out.println()
System.out.flush()
System.out.append("abc").append('d' as char).append("abcdef", 1, 3).println()
System.out.format("%d-%s%n", 3, p)
System.out.printf("%s %s%n", "a", p)
System.out.printf("%5.2f|", 3.14159); System.out.println()
System.out.printf("plain\n")
System.out.printf(Locale.US, "%,d%n", 12345)
System.out.println(3.0f); System.out.println([1, 2] as int[] != null)
def o = System.out
o.println "via var"
o.with { println "with"; print "a"; println() }
System.out.println(new Expando(a: 1).a)
System.out.println("${p}")
println System.out.checkError()
System.out.println(new StringBuilder("sb"))
System.out.println(["x"] as Set)
System.out.println(new Date(0).time)
System.out.print(['h', 'i'] as char[]); System.out.println()
System.out.println([k: p, l: [p]].toString())
System.out << 'c' << null << [1, p] << "${p}" << '\n'
try { System.out.println(1, 2) } catch (MissingMethodException e) { println "mme" }
