import java.text.*
import java.math.*
def t(n, c) { try { def v = c(); println "$n: $v ${v == null ? '' : v.class.simpleName}" } catch (Throwable e) { println "$n ! ${e.class.name}: ${e.message}" } }
def U = Locale.US
["0","00","#","#.##","0.00","#,##0","#,##0.00","#,###","0.###","000.000","0%","#.#%","0.0\u2030","0.###E0","00.00E00","##0.##E0","\$#,##0.00","0.00 'kg'","#,##0.00;(#,##0.00)","0.00;-0.00","'#'0","''0","0.0#","#,####","#.","0.","#,##0.###","","\u00A4#,##0.00", "¤¤0", "0 EUR","abc0def", "0,000", ".00", "#.00", "##", "0.00%x"].each { p ->
  [0, 1, -1, 1234567, 0.5, 1.5, 2.5, -0.4, 1234.5678, 0.125, 0.135, 1e10, 123456789012345678901234567890G, 0.001, 12345.678d, 1e-10d, Double.NaN, Double.POSITIVE_INFINITY, -0.0d, 99.995].each { v -> t("$p $v") { new DecimalFormat(p, DecimalFormatSymbols.getInstance(U)).format(v) } } }
t("bad") { new DecimalFormat("0.0.0") }
t("bad2") { new DecimalFormat("0#") }
t("bad3") { new DecimalFormat("#0#") }
t("bad4") { new DecimalFormat("'0") }
t("bad5") { new DecimalFormat("0,") }
t("bad6") { new DecimalFormat("0%%") }
t("bad7") { new DecimalFormat("0E") }
t("fmt str") { new DecimalFormat("0").format("x") }
t("fmt null") { new DecimalFormat("0").format(null) }
["1","1,234.5","-3","1.50abc","abc","","1e3","1E3","5%","(3)","+4"," 5","1,2,3","99999999999999999999","∞","1.0","0.1", "-0", ".5", "5."].each { v -> t("parse $v") { new DecimalFormat("#,##0.##", DecimalFormatSymbols.getInstance(U)).parse(v) } }
t("parse big") { def f = new DecimalFormat("#,##0.##"); f.parseBigDecimal = true; f.parse("1,234.50") }
t("parse int only") { def f = new DecimalFormat("#,##0.##"); f.parseIntegerOnly = true; f.parse("1,234.50") }
t("parse pct") { new DecimalFormat("0%").parse("50%") }
t("inst") { [NumberFormat.getInstance(U), NumberFormat.getNumberInstance(U), NumberFormat.getIntegerInstance(U), NumberFormat.getPercentInstance(U), NumberFormat.getCurrencyInstance(U)].collect { f -> [1234567.891, -5.5, 0.126, 2.5].collect { f.format(it) } } }
t("inst noloc") { NumberFormat.instance.format(1234.5) + NumberFormat.getInstance().format(3) + NumberFormat.getPercentInstance().format(0.5) }
t("maxfrac") { def f = NumberFormat.getInstance(U); f.maximumFractionDigits = 1; f.minimumFractionDigits = 1; [f.format(2), f.format(2.25), f.maximumFractionDigits] }
t("minint") { def f = NumberFormat.getInstance(U); f.minimumIntegerDigits = 4; f.groupingUsed = false; f.format(2) }
t("maxint") { def f = NumberFormat.getInstance(U); f.maximumIntegerDigits = 2; f.format(1234) }
t("round") { def f = new DecimalFormat("0.0"); f.roundingMode = RoundingMode.HALF_UP; [f.format(0.25), f.format(0.25d), f.format(0.35d), f.roundingMode] }
t("round2") { RoundingMode.values().collect { m -> try { def f = new DecimalFormat("0"); f.roundingMode = m; [2.5, -2.5, 1.1, -1.1].collect { f.format(it) } } catch (ArithmeticException e) { e.message } } }
t("pattern") { new DecimalFormat("#,##0.00").toPattern() }
t("apply") { def f = new DecimalFormat("0"); f.applyPattern("0.00"); f.format(1) }
t("prefix") { def f = new DecimalFormat("0"); f.positivePrefix = "+"; f.negativePrefix = "m"; [f.format(1), f.format(-1)] }
t("sym") { def s = new DecimalFormatSymbols(U); s.decimalSeparator = ',' as char; s.groupingSeparator = '.' as char; new DecimalFormat("#,##0.00", s).format(1234.5) }
t("gsize") { def f = new DecimalFormat("#,##0"); f.groupingSize = 2; f.format(123456) }
t("mult") { def f = new DecimalFormat("0"); f.multiplier = 10; f.format(5) }
t("parseNF") { [NumberFormat.getInstance(U).parse("1,234"), NumberFormat.getInstance(U).parse("1.5")] }
t("parse bad") { NumberFormat.getInstance(U).parse("x") }
t("DecimalFormat()") { new DecimalFormat().format(1234.5678) }
t("ger") { NumberFormat.getInstance(Locale.GERMANY).format(1234.5) }
t("cls") { NumberFormat.getInstance(U).class.name }
