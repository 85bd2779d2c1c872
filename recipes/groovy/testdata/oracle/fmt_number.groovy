import java.text.*
import java.math.RoundingMode
def t(n, c) { try { def v = c(); println "$n: $v ${v == null ? '' : v.class.simpleName}" } catch (Throwable e) { println "$n ! ${e.class.name}: ${e.message}" } }
def us = new DecimalFormatSymbols(Locale.US)
["0x0", "0;", "0;;", "0;(0);", ";0", "0 'it''s'", "#,##,##0.00", "0.00;'neg' 0", "0;0", "0-", "-0", "+0;-0", "0.#0", "0E00x", "#E0", ".0E0", "##.##E0", "0.00E0;(0.00E0)", "¤ 0.00;(¤ 0.00)", "'%'0", "0'%'", "%0", "0‰", "#,##0.00;", "a;b", "x", "''", "0.0.", ",0", "0,0", "#,#", "#,##0.###############", "0;-", "0.0 #", "E0", "0.E0", "# #", "'", "0''", "a'b'c0"].each { p ->
  t("pat [$p]") { def f = new DecimalFormat(p, us); [f.toPattern(), f.format(1234.565), f.format(-1234.565), f.format(0), f.positivePrefix, f.positiveSuffix, f.negativePrefix, f.negativeSuffix, f.multiplier, f.groupingSize, f.groupingUsed, f.minimumIntegerDigits, f.maximumIntegerDigits, f.minimumFractionDigits, f.maximumFractionDigits] } }
RoundingMode.values().findAll { it != RoundingMode.UNNECESSARY }.each { m ->
  t("$m") { def f = new DecimalFormat("0.0", us); f.roundingMode = m; [0.25d, 0.35d, 0.1d, 0.01d, 0.001d, 0.001, 0.05d, 0.05, 0.15, 0.949999999999999d, 0.95d, 9.95d, 9.96, -0.05, -0.051, 1e-20d, 1.45d, 1.55d, 2.675d, 1e15d + 0.3d, 0.3d + 0.1d, 0.1f].collect { f.format(it) } } }
t("unn") { def f = new DecimalFormat("0.0"); f.roundingMode = RoundingMode.UNNECESSARY; [f.format(0.5), f.format(3), f.format(0.001d)] }
t("unn2") { def f = new DecimalFormat("0.0"); f.roundingMode = RoundingMode.UNNECESSARY; f.format(0.55d) }
t("exp neg") { def f = new DecimalFormat("0.00E0", us); [f.format(0.000123), f.format(-12345), f.format(9.999), f.format(1e-300d), f.format(1e300d)] }
t("eng") { def f = new DecimalFormat("##0.0##E00", us); [1, 12, 123, 1234, 12345, 0.1, 0.01, 0.001, 0.0001, 123456789].collect { f.format(it) } }
t("max") { def f = new DecimalFormat("", us); [f.maximumFractionDigits, f.maximumIntegerDigits, f.minimumIntegerDigits, f.format(0.1d), f.format(0.30000000000000004d), f.format(1/3)] }
t("set") { def f = new DecimalFormat("0.00", us); f.setMaximumFractionDigits(1); def a = [f.minimumFractionDigits, f.maximumFractionDigits]; f.setMinimumIntegerDigits(3); f.setMaximumIntegerDigits(2); a + [f.minimumIntegerDigits, f.maximumIntegerDigits, f.toPattern(), f.format(1234.56)] }
t("set2") { def f = NumberFormat.getInstance(Locale.US); f.setGroupingUsed(false); f.setMinimumFractionDigits(5); [f.format(12345.678), f.isGroupingUsed(), f.getMaximumFractionDigits(), f.isParseIntegerOnly(), f.toPattern()] }
t("set3") { def f = NumberFormat.getInstance(Locale.US); f.maximumFractionDigits = 0; f.roundingMode = RoundingMode.HALF_UP; [f.format(0.5), f.format(1.5), f.format(2.5), f.format(-2.5)] }
t("neg digits") { def f = NumberFormat.getInstance(Locale.US); f.maximumFractionDigits = -3; f.format(1.5) }
t("mult") { def f = new DecimalFormat("0.##", us); f.multiplier = 1000; [f.format(1.2345), f.format(5), f.format(0.07d), f.parse("5"), f.parse("5000"), f.toPattern()] }
t("pct double") { def f = NumberFormat.getPercentInstance(Locale.US); [f.format(0.07d), f.format(0.285d), f.format(1/3), f.format(2), f.format(-0.005), f.parse("12.5%"), f.parse("1,200%")] }
t("cur") { def f = NumberFormat.getCurrencyInstance(Locale.US); [f.format(-3), f.parse("\$1,234.50"), f.format(1e9)] }
t("cur bad") { NumberFormat.getCurrencyInstance(Locale.US).parse("1,234.50") }
t("kinds") { def f = new DecimalFormat("0.00", us); [f.format(1), f.format(1L), f.format(1G), f.format(1.5f), f.format(1.005d), f.format(1.005), f.format((byte) 3), f.format((short) 4), f.format(Long.MIN_VALUE), f.format(Double.MIN_VALUE), f.format(1e308d).size()] }
t("bool") { new DecimalFormat("0").format(true) }
t("inf") { def f = new DecimalFormat("0.0%"); [f.format(Double.NEGATIVE_INFINITY), f.format(Double.NaN)] }
t("parse err") { try { NumberFormat.instance.parse("x1") } catch (ParseException e) { [e.message, e.errorOffset] } }
t("parse err2") { try { new DecimalFormat("0 kg").parse("12 lb") } catch (ParseException e) { [e.message, e.errorOffset] } }
t("parse") { def f = NumberFormat.getInstance(Locale.US); ["1,2,3.4.5", "1,,2", "1,", "-5", "--5", "1 000", "1e5", "1E5", "1E-2", "1E+2", "1E", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "00012", "0.000", "1.10", "100", "-0.0", "-0", "NaN", "-∞", "1.5E400", "12abc", "1.,5"].collect { s -> try { def v = f.parse(s); "$s=$v ${v.class.simpleName}".toString() } catch (ParseException e) { "$s!" } } }
t("parse big") { def f = new DecimalFormat("#,##0.##"); f.parseBigDecimal = true; ["1,234.50", "0.00", "100", "1E3", "-2.5", "1E-3", "0"].collect { def v = f.parse(it); "$v ${v.class.simpleName}".toString() } }
t("parse pct big") { def f = new DecimalFormat("0%"); f.parseBigDecimal = true; f.parse("12.5%") }
t("parse int") { def f = NumberFormat.getIntegerInstance(Locale.US); ["1.9", "1,000.5", "-3.2", "-0"].collect { f.parse(it) } }
t("parse neg") { def f = new DecimalFormat("0;(0)"); [f.parse("(5)"), f.parse("5")] }
t("parse neg2") { new DecimalFormat("0;(0)").parse("(5") }
t("parse null") { NumberFormat.instance.parse(null) == 1 }
t("sym") { def s = new DecimalFormatSymbols(Locale.US); s.decimalSeparator = ','; s.groupingSeparator = ' '; def f = new DecimalFormat("#,##0.00", s); [f.format(1234567.891), f.parse("1 234,5"), s.decimalSeparator, s.decimalSeparator.class.simpleName, s.minusSign, s.infinity, s.percent] }
t("sym2") { def f = new DecimalFormat("0.0"); f.decimalFormatSymbols = { def s = f.decimalFormatSymbols; s.minusSign = '~' as char; s.setDecimalSeparator(';' as char); s }(); [f.format(-1.5), f.decimalFormatSymbols.decimalSeparator, f.toPattern()] }
t("clone") { def f = new DecimalFormat("0"); def g = f.clone(); g.applyPattern("0.0"); [f.format(1), g.format(1)] }
t("apply bad") { def f = new DecimalFormat("0.0"); try { f.applyPattern("0.0.0") } catch (IllegalArgumentException e) { [e.message, f.format(2)] } }
t("inst of") { def f = NumberFormat.getInstance(Locale.US); [f instanceof DecimalFormat, f instanceof NumberFormat, f instanceof Format, f.class] }
t("each") { [1.234, 5].collect(new DecimalFormat("0.0").&format) }
t("gstring pat") { def n = 3; new DecimalFormat("0.${'0' * n}").format(1) }
t("with") { new DecimalFormat("0").with { maximumFractionDigits = 2; groupingUsed = true; groupingSize = 3; format(12345.678) } }
t("named") { DecimalFormat df = new DecimalFormat("#.##"); df.format(3.14159) as Double }
t("nf new") { def nf = NumberFormat.numberInstance; nf.format(1e7) }
t("locs") { [Locale.GERMANY, Locale.FRANCE, Locale.UK, Locale.ITALY, Locale.CANADA, Locale.JAPAN, Locale.ENGLISH, Locale.ROOT].collect { l -> [NumberFormat.getInstance(l), NumberFormat.getPercentInstance(l), NumberFormat.getCurrencyInstance(l)].collect { it.format(-1234.567) } } }
t("ger parse") { NumberFormat.getInstance(Locale.GERMANY).parse("1.234,5") }
