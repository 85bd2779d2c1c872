import java.math.*
def t(n, c) { try { def v = c(); println "$n: $v ${v == null ? '' : v.class.simpleName}" } catch (Throwable e) { println "$n ! ${e.class.name}: ${e.message}" } }
t("bd dbl") { new BigDecimal(0.1d) }
t("bd valueOf") { [BigDecimal.valueOf(0.1d), BigDecimal.valueOf(5), BigDecimal.valueOf(15, 1), BigDecimal.valueOf(1.0d), BigInteger.valueOf(5), BigDecimal.valueOf(1e10d)] }
t("bd big") { [new BigDecimal(123G, 2), new BigDecimal(123G)] }
t("bd mc") { [new BigDecimal("1.2345", new MathContext(3)), new BigDecimal(1.2345d, MathContext.DECIMAL32), new BigDecimal("1.5").round(new MathContext(1)), 1.2345.round(new MathContext(2, RoundingMode.UP)), new MathContext(3).toString(), MathContext.DECIMAL64.precision, MathContext.UNLIMITED.precision, new MathContext(5).roundingMode] }
t("bd div3") { 1.0.divide(3.0) }
t("bd div0") { 1.0.divide(0.0) }
t("bd %") { 10.5 % 3 }
t("bd rem") { [10.5.remainder(3.0), (-10.5).remainder(3.0), 10.5.divideToIntegralValue(3.0), 10.5.divideAndRemainder(3.0)] }
t("bd scale2") { [1.5.negate(), (-1.5).abs(), 1.5.signum(), 1.5.ulp(), 1.5.movePointLeft(3), 1.5.movePointRight(3), 1.5.scaleByPowerOfTen(3), 1.5.pow(3), 1.5.max(2.5), 1.5.min(2.5), 0.000.stripTrailingZeros(), 100.0.stripTrailingZeros()] }
t("bd setScale bad") { 1.255.setScale(2) }
t("bd unn") { 1.255.setScale(2, RoundingMode.UNNECESSARY) }
t("bd exact") { 1.5.intValueExact() }
t("bd exact2") { 5.0.intValueExact() }
t("bd exact3") { 5.0.longValueExact() }
t("bd eq") { [1.0.equals(1.00), 1.0 == 1.00, 1.0.compareTo(1.00), 1.0.hashCode(), 1.00.hashCode()] }
t("bd plus mc") { [1.25.add(1.111, new MathContext(2)), 1.25.multiply(1.111, new MathContext(2)), 1.25.subtract(1.111, new MathContext(2)), 1.25.plus(new MathContext(2))] }
t("bd div2") { [10.0.divide(3.0, MathContext.DECIMAL32), 10.0.divide(4.0), 10.0.divide(3.0, RoundingMode.DOWN), 2.0.divide(3.0, new MathContext(2, RoundingMode.FLOOR)), (-2.0).divide(3.0, new MathContext(3, RoundingMode.FLOOR)), 10.0.divide(3.0, 4, RoundingMode.UP)] }
