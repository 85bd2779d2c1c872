import java.math.*
def t(n, c) { try { def v = c(); println "$n: $v ${v == null ? '' : v.class.simpleName}" } catch (Throwable e) { println "$n ! ${e.class.name}: ${e.message}" } }
t("math") { [Math.abs(-5), Math.abs(-5L), Math.abs(-1.5d), Math.abs(-1.5f), Math.max(1, 2L), Math.max(1, 2.5d), Math.min(1.5f, 2), Math.pow(2, 3), Math.sqrt(2), Math.cbrt(27), Math.floor(1.5), Math.ceil(1.5), Math.round(1.5), Math.round(-1.5), Math.round(2.5f), Math.rint(2.5), Math.signum(-2.0), Math.signum(-2f), Math.log(10), Math.log10(1000), Math.log1p(1), Math.exp(1), Math.expm1(1), Math.sin(1), Math.tanh(1), Math.atan2(1, 1), Math.hypot(3, 4), Math.toRadians(180), Math.toDegrees(Math.PI), Math.floorDiv(-7, 2), Math.floorMod(-7, 2), Math.floorMod(-7L, 2L), Math.addExact(1, 2), Math.subtractExact(1, 2), Math.multiplyExact(2, 3), Math.negateExact(5), Math.incrementExact(5), Math.decrementExact(5), Math.toIntExact(5L), Math.ulp(1d), Math.nextUp(1d), Math.copySign(1d, -2d), Math.getExponent(8d), Math.scalb(1d, 3), Math.IEEEremainder(5d, 3d), Math.nextAfter(1d, 2d)].collect { "$it:${it.class.simpleName}" } }
t("math ovf") { Math.addExact(Integer.MAX_VALUE, 1) }
t("math ovf2") { Math.multiplyExact(Long.MAX_VALUE, 2L) }
t("math ovf3") { Math.toIntExact(1L << 40) }
t("math ovf4") { Math.subtractExact(Integer.MIN_VALUE, 1) }
t("math round big") { [Math.round(1e300d), Math.round(Double.NaN), Math.round(0.49999999999999994d), Math.round(-0.5d), Math.round(1e10f)] }
t("strict") { StrictMath.sqrt(4) }
t("hyper") { [Math.sinh(1), Math.cosh(1)].collect { it.round(9) } }
