import groovy.time.TimeCategory
import groovy.time.*
def t(n, c) { try { def v = c(); println "$n: $v " } catch (Throwable e) { println "$n ! ${e.class.name}: ${e.message?.readLines()?.getAt(0)}" } }
class A1 { static go(String self) { "A1" }; static only(String self) { "o1" } }
class A2 { static go(String self) { "A2" } }
class Base { def who() { "base" } }
class Sub extends Base { def who() { "sub" } }
class Sub2 extends Base { }
class BaseCat { static who(Base self) { "cat" } }
class Ops { static minus(String self, String o) { "minus" }; static multiply(String s, String n) { "mul" }; static plus(String s, List l) { "pl" }; static leftShift(String s, x) { "ls $x" }; static negative(String s) { s.reverse() } ; static getAt(String s, String k) { "at $k" }; static plus(Integer a, Integer b) { 99 } }
class Props { static getShort(String s) { s[0] }; static void setLabel(Map m, String v) { m.put("l", v) }; static getAny(Object o) { "any" } }
t("order") { use(A1, A2) { "x".go() } }
t("order2") { use(A2, A1) { "x".go() } }
t("order nested") { use(A1) { use(A2) { "x".go() } } }
t("order list") { use([A1, A2]) { "x".go() } }
t("nested outer") { use(A1) { use(A2) { "x".only() } } }
t("base") { use(BaseCat) { [new Base().who(), new Sub().who(), new Sub2().who()] } }
t("ops") { use(Ops) { ["a" - "b", "a" * "b", "a" + [1], "a" << 1] } }
t("ops2") { use(Ops) { [-"abc"] } }
t("ops3") { use(Ops) { int i = 1; def a = 2; [a + 3] } }
t("props") { use(Props) { ["abc".short, [short: 3].short, 5.any, [any: 1].any, [1, 2].any] } }
t("set") { use(Props) { def m = [:]; m.label = "q"; m } }
t("inner ret") { [1, 2].each { n -> use(A1) { if (n == 2) return "x".go() } } }
t("recursive") { use(A1) { use(A1) { "x".go() } } }
t("instance use") { new Object().use(A1) { "x".go() } }
def d = new GregorianCalendar(2020, 0, 31, 10, 0, 0).time
t("tc") { use(TimeCategory) { [3.days, 2.hours, 1.week, 1.month, 1.year, 5.minutes, 10.seconds, 30.milliseconds, 1.day + 2.hours, 2.weeks - 1.day] } }
t("tc cls") { use(TimeCategory) { [3.days.class, 2.hours.class, 1.month.class, (1.month + 1.hour).class, (1.day + 1.hour).class]*.simpleName } }
t("tc date") { use(TimeCategory) { [d + 1.week, d - 1.day, d + 1.month, d - 3.hours, d + 1.year, d + 90.minutes]*.format("yyyy-MM-dd HH:mm:ss") } }
t("tc diff") { use(TimeCategory) { def x = (d + 3.days + 4.hours + 5.minutes) - d; [x, x.days, x.hours, x.minutes, x.seconds, x.toMilliseconds()] } }
t("tc ago") { use(TimeCategory) { def n = new Date(); [2.hours.ago < n, 2.hours.from.now > n, 1.day.ago < n] } }
t("tc compare") { use(TimeCategory) { [1.hour < 2.hours, 60.minutes == 1.hour, 1.hour > 30.minutes] } }
t("tc var") { def n = 5; use(TimeCategory) { n.minutes.toMilliseconds() } }
t("tc after") { 3.days }
t("tc nested") { use(TimeCategory, A1) { "${3.days} ${'x'.go()}" } }
t("tc int date") { use(TimeCategory) { (d + 1).format("yyyy-MM-dd") } }
t("tc minus int") { use(TimeCategory) { (d - 1).format("yyyy-MM-dd") } }
t("tc method") { use(TimeCategory) { 3.getDays() } }
t("tc static") { TimeCategory.getDays(3) }
t("tc long") { use(TimeCategory) { 3L.days } }
t("tc str") { use(TimeCategory) { "3".days } }
t("tc range") { use(TimeCategory) { def r = []; def x = d; while (x < d + 3.days) { r << x.format("dd"); x += 1.day }; r } }
t("tc neg") { use(TimeCategory) { [-3.days, (-3).days] } }
t("tc mul") { use(TimeCategory) { 3.days * 2 } }
t("still") { use(TimeCategory) { [1 + 2, "a" + 1, [1] + 2, 5 - 3, "abc" - "b", [a: 1].a, [1, 2]*.toString()] } }
class MapCat { static getX(Map m) { "cat" } ; static getY(m) { "y" } }
t("map getter") { use(MapCat) { [[x: 1].x, [:].x, [:].y, [y: 2].y] } }
class OC { static toString(Object o) { "cat" }; static size(o) { 9 } }
t("object methods") { use(OC) { ["a".size(), [1].size(), new Base().size()] } }
