import java.text.*
import java.math.*
def t(n, c) { try { def v = c(); println "$n: $v ${v == null ? '' : v.class.simpleName}" } catch (Throwable e) { println "$n ! ${e.class.name}: ${e.message}" } }
def U = Locale.US
["{0} {1}", "it''s {0}", "it's {0}", "'{0}' {0}", "{0,number}", "{0,number,#.##}", "{0,number,integer}", "{0,number,percent}", "{1} {0} {1}", "{2}", "{", "}", "{x}", "{0", "'{'{0}'}'", "{0,choice,0#none|1#one|1<many}", "a", "{ 0 }", "{-1}", "{0,foo}", "''{0}''", "{0}{1}", "{10}", "{0,date,yyyy}", "'", "'{0}", "{0,number,'#'0}"].each { p -> t("mf $p") { MessageFormat.format(p, 1234.567, "b") } }
t("mf null") { MessageFormat.format("{0}", [null] as Object[]) }
t("mf int") { MessageFormat.format("{0} {1} {2} {3}", 1234567, 1234L, 0.5d, true) }
t("mf none") { MessageFormat.format("{0}") }
t("mf date") { MessageFormat.format("{0,date,yyyy-MM-dd}", new Date(0)) }
t("mf list") { MessageFormat.format("{0} {1}", [1, 2]) }
t("mf arr") { MessageFormat.format("{0} {1}", [1, 2] as Object[]) }
t("mf obj") { new MessageFormat("{0}-{1}").format([1, 2] as Object[]) }
t("mf choice") { [0, 1, 2].collect { MessageFormat.format("{0,choice,0#none|1#one|1<{0} many}", it) } }
t("ChoiceFormat") { new ChoiceFormat("0#none|1#one|1<many").format(5) }
