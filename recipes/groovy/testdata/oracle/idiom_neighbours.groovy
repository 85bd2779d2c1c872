def t(String n, Closure c) { try { println n + ": " + c() } catch (Throwable e) { println n + " !! " + e.class.simpleName + " " + (e.message ?: "").readLines().with { it ? it[0] : "" }.take(90) } }
t("sync") { def o = new Object(); def x = 0; synchronized (o) { x++ }; x }
class Dyn {
    def invokeMethod(String n, Object args) { "inv $n ${args as List}" }
}
t("invokeMethod") { new Dyn().foo(1, 2) }
class DynP {
    def store = [:]
    def get(String n) { "got $n" }
    void set(String n, Object v) { store[n] = v }
}
t("get/set") { def d = new DynP(); d.a = 5; [d.b, d.store] }
class MM { def methodMissing(String n, args) { "missing $n" }; def propertyMissing(String n) { "pm $n" } }
t("mm") { [new MM().zork(1), new MM().zip] }
t("call") { def fact = { n -> n <= 1 ? 1 : n * call(n - 1) }; fact(5) }
t("forName") { Class.forName("java.lang.String").simpleName }
t("forName2") { Class.forName("no.such.Thing") }
t("newInstance") { ArrayList.newInstance() + Date.newInstance(0L).time }
t("listput") { def l = [1, 2, 3, 4]; l[0, 2] = [9, 8]; l }
t("listget") { [1, 2, 3, 4][0, 2..3] }
t("merge") { def m = [a: 1]; m.merge("a", 5) { x, y -> x + y }; m.merge("b", 7) { x, y -> x + y }; m }
t("compute") { def m = [a: 1]; m.compute("a") { k, v -> v + 10 }; m.computeIfPresent("a") { k, v -> v + 1 }; m }
t("replaceAll") { def m = [a: 1]; m.replaceAll { k, v -> v * 2 }; m }
t("Eval") { [Eval.me("1+2"), Eval.x(3, "x*2"), Eval.xy(3, 4, "x+y"), Eval.xyz(1, 2, 3, "x+y+z")] }
t("gaussian") { new Random(42).nextGaussian() }
t("shuffle") { def l = (1..10).toList(); Collections.shuffle(l, new Random(7)); l }
t("rand") { def r = new Random(5); [r.nextInt(100), r.nextInt(), r.nextLong(), r.nextBoolean(), r.nextDouble()] }
t("toSet") { ["z", "b", "a", "m"].toSet() }
t("toSet2") { [30, 1, 17].toSet() }
t("slurp") { new groovy.json.JsonSlurper().parseText('{"z":1,"a":{"y":1,"b":2}}') }
t("assert") { assert 1 == 2 : "msg here" }
t("assert2") { def x = 1; assert x == 2, "msg" }

t("step") { def l = []; 1.step(10, 3) { l << it }; l }
t("jb") { new groovy.json.JsonBuilder([a: 1]).toString() }
t("jb2") { def b = new groovy.json.JsonBuilder(); b.person { name "x"; tags 1, 2; nested { a 1 } }; b.toString() }
t("jb3") { def b = new groovy.json.JsonBuilder(); b([1, 2, 3]) { n -> v n }; b.toString() }
t("jb4") { def b = new groovy.json.JsonBuilder(); b(1, 2, "x"); b.toString() }
t("jb5") { def b = new groovy.json.JsonBuilder(); b.call(a: 1, b: 2); b.toString() }
t("jb6") { def b = new groovy.json.JsonBuilder(); b.r(a: 1) { c 2 }; b.toPrettyString() }
t("jb7") { def b = new groovy.json.JsonBuilder(); def root = b { a 1 }; println b; "$root" }
t("sjb") { def w = new StringWriter(); def s = new groovy.json.StreamingJsonBuilder(w); s.people { a 1 }; w.toString() }
t("atomicl") { def a = new java.util.concurrent.atomic.AtomicLong(); a.incrementAndGet(); a }
t("maxv") { Integer.MAX_VALUE + 1 }
t("noMeth") { "x".nope(1) }
t("classProp") { def c = Integer; c.MAX_VALUE }
t("tuple") { def (a, b) = [1, 2]; [b, a] }
t("multi") { def a, b; (a, b) = [1]; [a, b] }
t("ternary") { null ?: "dflt" }
t("spaceship") { ["b", "a"].sort { x, y -> y <=> x } }
t("curry") { def f = { a, b, c -> "$a$b$c" }; [f.curry(1)(2, 3), f.rcurry(3)(1, 2), f.ncurry(1, "m")(1, 3)] }
t("memo") { def n = 0; def f = { x -> n++; x * 2 }.memoize(); f(2); f(2); n }
t("compose") { def f = { it + 1 } >> { it * 2 }; def g = { it + 1 } << { it * 2 }; [f(3), g(3)] }
t("tramp") { def f; f = { n, a = 1G -> n <= 1 ? a : f.trampoline(n - 1, a * n) }.trampoline(); f(20) }
