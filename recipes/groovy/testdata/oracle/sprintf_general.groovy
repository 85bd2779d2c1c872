def q(f, Object... a) { try { println "$f -> [${String.format(f, a)}]" } catch (Throwable e) { println "$f ! ${e.class.name}: ${e.message}" } }
["abc", "", "äöü", 'c', true, false, null, [1,2], [a:1], [] as Set, [:], (1..3), 'x' as char, [[a:1]], ["a":["b":null]]].each { v ->
  ["%s","%S","%10s|","%-10s|","%.2s","%10.2s|","%b","%B","%c","%C","%d","%f","%x","%e","%g","%h","%#s","%+s","%05s","%-s","%,s","%t", "%5b|", "%.1b", "%5c|", "%-5c|", "%.1c", "%n", "%%", "%5%|", "%-5%|", "%-%","%z", "%", "%i", "%y", "abc%", "%5", "%-", "%1\$s %1\$s", "%2\$s", "%s %<s", "%<s", "%s %s", "%1\$s %s", "%0\$s", "%u", "%T", "%5n", "%.2%","%a","%o"].each { q(it, v) } }
q("%d %s", 1, "a"); q("%s"); q("%2\$s %1\$s", 1, 2); q("%s %s %<s", 1, 2); q("%s %1\$s %s", 1, 2); q("%c", 65); q("%c", 128512); q("%c", 65L); q("%c", -1); q("%C", 'a' as char); q("%99999999999d", 1)
q("%s", [1, 2] as Object[]); q("%s %s", [1,2] as Object[]); q("%s %s", [1, 2]); q("%s", [1, 2] as int[]); q("%d", [1,2]); q("%s", null); q("%s", (Object) null)
def g(c) { try { println c() } catch (Throwable e) { println "! ${e.class.name}: ${e.message}" } }
g { sprintf("%s %s", [1, 2]) }
g { sprintf("%s", [1, 2]) }
g { sprintf("%s", [1, 2] as Object[]) }
g { sprintf("%d %d", [1, 2] as int[]) }
g { sprintf("%s", [a: 1]) }
g { sprintf("%s %s", ["a", "b"] as String[]) }
g { printf("%s %s\n", [1, 2]); 1 }
g { printf("%s\n", [1, 2]); 1 }
g { printf("x\n"); 1 }
g { printf("%d %d\n", [1, 2] as int[]); 1 }
g { printf("%s %s\n", 1, 2); 1 }
g { printf("%s\n", [[1, 2]]); 1 }
g { String.format("%s", [1, 2]) }
g { String.format("%s %s", [1, 2]) }
g { String.format("%s %s", *[1, 2]) }
g { String.format("%s %s", [1, 2] as Object[]) }
g { String.format("%s %s", ["a", "b"] as String[]) }
g { String.format("%s") }
g { String.format("x") }
g { String.format(Locale.US, "%,.2f", 1234.5) }
g { String.format(Locale.ENGLISH, "%,d", 1234) }
g { String.format(null, "%s", 1) }
g { "a".format("%s", 1) }
g { "%s".format("x%s", 1) }
g { "%s".formatted(1) }
g { String.format("%s", "${1}") }
g { String.format("${"%s"}", 1) }
g { new Formatter().format("%s", 1).toString() }
g { def sb = new StringBuilder(); new Formatter(sb).format("%s-%s", 1, 2).format("%d", 3); sb.toString() }
