class Ver implements Comparable<Ver> {
    int major, minor
    int compareTo(Ver o) { major <=> o.major ?: minor <=> o.minor }
    String toString() { "$major.$minor" }
}
def v = { String s -> def p = s.split(/\./); new Ver(major: p[0] as int, minor: p[1] as int) }
def s = new TreeSet()
["1.10", "1.2", "0.9", "1.2"].each { s << v(it) }
println s
println "${s.first()} ${s.last()} " + s.contains(v("1.10")) + " " + s.contains(v("3.1"))
def m = new TreeMap()
["2.0", "1.5", "2.0"].eachWithIndex { x, i -> m[v(x)] = i }
println m
println "${m.firstKey()} ${m.lastKey()} " + m[v("1.5")]
def byLength = new TreeSet({ a, b -> a.size() <=> b.size() ?: a <=> b } as Comparator)
byLength.addAll(["ccc", "a", "bb", "aa", "a"])
println byLength
def rev = new TreeMap(Collections.reverseOrder())
rev.a = 1; rev.c = 3; rev.b = 2
println rev
rev.remove("c")
println rev.keySet().toList() + rev.values().toList()
class ByLast implements Comparator<String> { int compare(String a, String b) { a[-1] <=> b[-1] } }
def last = new TreeSet(new ByLast())
last << "xa" << "ba" << "ac" << "zb"
println last
def anon = new TreeMap(new Comparator() { int compare(a, b) { b <=> a } })
anon.putAll([1: "a", 3: "c", 2: "b"])
println anon
println new TreeMap([b: 1, a: 2])
println(["b", "a"] as TreeSet)
println(["b", "a", "c"] as SortedSet)
try { def t = new TreeSet(); t << 1; t << "a"; println t } catch (ClassCastException e) { println "cast" }
def copy = new TreeSet(byLength)
copy << "zzzz" << "b"
println copy
println((rev + [d: 4]).keySet().toList())
