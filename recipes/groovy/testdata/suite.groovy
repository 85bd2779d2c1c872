// The suite of make bench: arithmetic, calls, collections, maps, strings.
int fib(int n) { n < 2 ? n : fib(n - 1) + fib(n - 2) }
println fib(20)
def s = 0
for (int i = 0; i < 200000; i++) { s += i % 7; if (s > 1000) s = 0 }
println s
def l = (1..20000).collect { it * 2 }.findAll { it % 3 == 0 }
println l.inject(0) { a, b -> (a + b) % 1000003 }
def m = [:]
for (x in l) { m["k" + x % 500] = (m["k" + x % 500] ?: 0) + 1 }
println m.size() + m.values().sum()
def b = new StringBuilder()
10000.times { b << "line ${it}\n" }
println b.toString().readLines().findAll { it.endsWith("7") }.size()
println((1..5000).collect { it.toString().padLeft(6, "0") }.sort { x, y -> y <=> x }.join(",").hashCode())
