import java.math.*
def t(n, c) { try { def v = c(); println "$n: $v ${v == null ? '' : v.class.simpleName}" } catch (Throwable e) { println "$n ! ${e.class.name}: ${e.message}" } }
t("parse radix") { [Integer.parseInt("ff", 16), Integer.parseInt("-101", 2), Integer.valueOf("z", 36), Long.parseLong("7fffffffffffffff", 16), Integer.parseUnsignedInt("4294967295"), Integer.parseInt("11", 2)] }
t("radix bad") { Integer.parseInt("12", 2) }
t("radix bad2") { Integer.parseInt("12", 99) }
t("radix bad3") { Integer.parseInt("80000000", 16) }
t("radix bad4") { Long.parseLong("zz", 16) }
t("I consts") { [Integer.MAX_VALUE, Integer.MIN_VALUE, Integer.SIZE, Integer.BYTES, Long.SIZE, Long.MAX_VALUE, Short.MAX_VALUE, Byte.MIN_VALUE, Double.MAX_VALUE, Double.MIN_VALUE, Double.MIN_NORMAL, Float.MAX_VALUE, Float.MIN_VALUE, Float.NaN, Float.POSITIVE_INFINITY, Double.NaN, Double.MAX_EXPONENT] }
t("cmp") { [Integer.compare(1, 2), Long.compare(2, 1), Double.compare(0.0d, -0.0d), Double.compare(Double.NaN, 1d), Boolean.compare(true, false), 1.compareTo(2), Integer.compareUnsigned(-1, 1), Byte.compare((byte)1, (byte)3), Float.compare(1f, 2f), 1] }
t("dbl") { [Double.isNaN(0.0d / 0), Double.isInfinite(1d), Double.isFinite(1d), Double.toHexString(1.5d), Double.doubleToLongBits(1.5d), Double.longBitsToDouble(4609434218613702656L), Float.floatToIntBits(1.5f), Float.intBitsToFloat(1069547520), Double.sum(1d, 2d), Double.max(1d, 2d), Double.min(1d, 2d), Double.hashCode(1.5d), Double.toString(1e10d), Double.valueOf(3), Double.valueOf("3")] }
t("new") { [new Integer(5), new Integer("5"), new Long(5), new Double("1.5"), new Double(1), new BigDecimal(5), new BigDecimal("1.50"), new BigInteger("5"), new BigInteger("ff", 16), new Float("1.5"), new Boolean("true")] }
t("bool") { [Boolean.parseBoolean("TRUE"), Boolean.valueOf("x"), Boolean.toString(true), Boolean.logicalXor(true, false), Boolean.TRUE, Boolean.parseBoolean(null), Boolean.hashCode(true)] }
