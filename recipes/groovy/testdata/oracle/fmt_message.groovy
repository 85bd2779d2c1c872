import java.text.*
def t(n, c) { try { def v = c(); println "$n: $v ${v == null ? '' : v.class.simpleName}" } catch (Throwable e) { println "$n ! ${e.class.name}: ${e.message}" } }
["{0, number , #.# }", "{0,NUMBER}", "{0, number, integer }", "{0,number,'{'0}", "{0}'", "a'{'b'}'c", "''", "'''{0}'''", "{0,number,#.##'x'}", "{{0}}", "{0,choice,0#{1}|1#one}", "{0,choice,0#a|2000#b}", "{0,choice,x}", "{0,choice,}", "{0,choice,1#a|0#b}", "{ 0}", "{0 }", "{00}", "{99999999999}", "", "{}", "{0,}", "{0,,}", "{0,number,}", "{0,number,0.0.0}", "}{0}", "'{0}' {1} ''", "x {0} y {1} z {2}", "{0,time}{", "{1,number}", "{0,choice,0#it''s|1000#it's}", "'{''}'", "{0,choice,0#a|1000#b '{'0'}'}", "{+1}"].each { p -> t("mf [$p]") { MessageFormat.format(p, 1234.567, "b") } }
t("types") { MessageFormat.format("{0} {1} {2} {3} {4} {5}", 'c' as char, [a: 1], "g${1}", null, 2.50, 1e10d) }
t("arr") { MessageFormat.format("{0} {1}", ["x", "y"] as String[]) }
t("int arr") { MessageFormat.format("{0}", [1, 2] as Integer[]) }
t("date") { def d = new GregorianCalendar(2020, 1, 3, 4, 5, 6).time; ["{0}", "{0,date}", "{0,time}", "{0,date,short}", "{0,date,medium}", "{0,date,long}", "{0,date,full}", "{0,time,short}", "{0,date,yyyy/MM/dd HH:mm:ss}", "{0,date, yyyy}"].collect { MessageFormat.format(it, d) } }
t("date num") { MessageFormat.format("{0,number}", new Date(0)) }
t("num str") { MessageFormat.format("{0,number}", "x") }
t("date str") { MessageFormat.format("{0,date}", "x") }
t("choice str") { MessageFormat.format("{0,choice,0#x}", "y") }
class P { String toString() { "I am P" } }
t("obj") { MessageFormat.format("{0}!", new P()) }
t("new") { def m = new MessageFormat("{1} has {0,number,integer} files"); [m.format([1234, "x"] as Object[]), m.format([1] as Object[])] }
t("new loc") { new MessageFormat("{0}", Locale.GERMANY).format([1234.5] as Object[]) }
t("bad num") { new MessageFormat("{x}") }
t("choice") { def c = new ChoiceFormat("-1#neg|0#zero|1#one|1.0<more than one|10<many"); [-5, -1, 0, 0.5, 1, 1.5, 10, 11, Double.NaN].collect { c.format(it) } }
t("choice arr") { new ChoiceFormat([0, 1] as double[], ["a", "b"] as String[]).format(1) }
t("choice ≤") { new ChoiceFormat("0\u2264a|\u221e\u2264inf").format(Double.POSITIVE_INFINITY) }
t("choice bad") { new ChoiceFormat("#a") }
t("choice bad2") { new ChoiceFormat("x#a") }
t("choice quote") { new ChoiceFormat("0#'#'|1#a'|'b").format(1) }
t("big") { MessageFormat.format("{0}", 123456789012345678901234567890G) }
t("small") { MessageFormat.format("{0} {1}", 0.0001, 1e-7d) }
t("bool") { MessageFormat.format("{0}", true) }
