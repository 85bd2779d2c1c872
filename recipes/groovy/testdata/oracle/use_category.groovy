import groovy.time.*
def t(n, c) { try { def v = c(); println "$n: $v ${v == null ? '' : v.class.simpleName}" } catch (Throwable e) { println "$n ! ${e.class.name}: ${e.message?.readLines()?.getAt(0)?.replaceAll(" .did you mean.*", "")}" } }
class StringCat { static String shout(String self) { self.toUpperCase() + "!" }
  static String twice(String self, String sep = "-") { self + sep + self }
  static int getVowels(String self) { self.count("a") }
  static void setName(List self, String n) { self << n }
  static String getName(List self) { self[0] }
  static boolean isLoud(String self) { self == self.toUpperCase() } }
class IntCat { static int squared(Integer self) { self * self }
  static String toString(Integer self) { "int" }
  static String shout(Integer self) { "I" + self }
  static plus(Integer self, String o) { "cat" + o } }
class ObjCat { static shout(Object self) { "o:" + self }
  static each(List self, Closure c) { c("mine") }
  static size(String self) { 42 }
  static helper(self, a, b = 2, ... r) { [self, a, b, r as List] } }
class NotStatic { String foo(String self) { "x" } 
  static String bar(String self) { "bar" } }
class P { String name; def shout() { "own" } ; def callCat() { "a".shout() } }
class PCat { static shout(P self) { "cat" }; static getNick(P self) { self.name[0] }; static extra(P self) { "x" + self.name } 
  static methodMissing(P self, String n, args) { "mm $n" } }
t("basic") { use(StringCat) { "abc".shout() } }
t("result") { use(StringCat) { 5 } }
t("args") { use(StringCat) { ["a".twice(), "a".twice("+")] } }
t("prop") { use(StringCat) { ["banana".vowels, "AB".loud, "ab".isLoud(), "banana".getVowels()] } }
t("prop map") { use(StringCat) { [vowels: 1].vowels } }
t("set") { use(StringCat) { def l = []; l.name = "x"; [l, l.name] } }
t("after") { use(StringCat) { "abc".shout() }; "abc".shout() }
t("after prop") { "abc".vowels }
t("exc") { try { use(StringCat) { throw new RuntimeException("x") } } catch (e) { }; "abc".shout() }
t("ret") { def f = { use(StringCat) { return "abc".shout() } }; f() }
t("multi") { use(StringCat, IntCat) { ["a".shout(), 3.squared(), 3.shout()] } }
t("list") { use([StringCat, IntCat]) { ["a".shout(), 3.squared()] } }
t("nested") { use(StringCat) { use(IntCat) { ["a".shout(), 3.squared()] } } }
t("nested after") { use(StringCat) { use(IntCat) { 3.squared() }; try { 3.squared() } catch (MissingMethodException e) { "gone" } } }
t("closure later") { def c = { "a".shout() }; use(StringCat) { c() } }
t("closure escapes") { def c = use(StringCat) { { -> "a".shout() } }; c() }
t("method") { use(StringCat) { new P().callCat() } }
t("override") { use(ObjCat) { ["abc".size(), [1].each { it }.toString()] } }
t("most specific") { use(ObjCat, StringCat) { ["a".shout(), 3.shout()] } }
t("most specific 2") { use(StringCat, ObjCat) { ["a".shout(), 3.shout(), null.shout()] } }
t("operator") { use(IntCat) { 3 + "x" } }
t("operator2") { use(IntCat) { 3 + 4 } }
t("toString") { use(IntCat) { [3.toString(), "${3}"] } }
t("default args") { use(ObjCat) { ["s".helper(1), "s".helper(1, 3), "s".helper(1, 3, 4, 5)] } }
t("not static") { use(NotStatic) { "a".foo() } }
t("not static 2") { use(NotStatic) { "a".bar() } }
t("own") { use(PCat) { [new P(name: "Bob").shout(), new P(name: "Bob").nick, new P(name: "Bob").extra()] } }
t("mm") { use(PCat) { new P(name: "x").nope(1) } }
t("nope") { use(StringCat) { "a".nope() } }
t("gstring") { use(StringCat) { "a${1}".shout() } }
t("arg type") { use(StringCat) { 3.shout() } }
t("spread") { use(StringCat) { ["a", "b"]*.shout() } }
t("collect") { use(StringCat) { ["a", "b"].collect { it.shout() } } }
t("safe") { use(StringCat) { String s = null; s?.shout() } }
t("pointer") { use(StringCat) { def m = "a".&shout; m() } }
t("pointer after") { def m = use(StringCat) { "a".&shout }; m() }
t("thread") { use(StringCat) { def r; def th = Thread.start { r = "ok" }; th.join(); r } }
t("empty") { use() { 1 } }
t("no cat") { use("x") { 1 } }
t("closure arg") { use(StringCat) { it } }
t("delegate") { def o = [shout: { "m" }]; use(StringCat) { o.shout() } }
t("with") { use(StringCat) { "abc".with { shout() } } }
t("dyn") { def n = "shout"; use(StringCat) { "abc"."$n"() } }
def useIn() { use(StringCat) { "q".shout() } }
t("in method") { useIn() }
t("builtin class as category") { use(Collections) { [3, 1].max() } }
t("Math") { use(Math) { (-3).abs() } }
t("get on map") { use(ObjCat) { [a: 1].shout() } }
