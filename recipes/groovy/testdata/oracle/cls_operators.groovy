class V {
    int x
    V plus(V o) { new V(x: x + o.x) }
    V minus(V o) { new V(x: x - o.x) }
    V multiply(int n) { new V(x: x * n) }
    V negative() { new V(x: -x) }
    V next() { new V(x: x + 1) }
    def getAt(i) { x + i }
    void putAt(i, v) { x = i + v }
    def leftShift(o) { x += o; this }
    def call(n) { x * n }
    boolean asBoolean() { x != 0 }
    def isCase(o) { o == x }
    String toString() { "V$x" }
}
def a = new V(x: 3), b = new V(x: 4)
println a + b
println a - b
println a * 3
println(-a)
println a[10]
a[1] = 5
println a
println a << 2
println a(10)
println(new V() ? "t" : "f")
a++
println a
println(9 in a)
switch (9) { case a: println "case"; break; default: println "no" }
a += b
println a
