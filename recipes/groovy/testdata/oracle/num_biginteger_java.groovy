import java.math.*
def t(n, c) { try { def v = c(); println "$n: $v ${v == null ? '' : v.class.simpleName}" } catch (Throwable e) { println "$n ! ${e.class.name}: ${e.message}" } }
t("bi") { [10G.mod(3G), (-10G).mod(3G), (-10G).remainder(3G), 10G.gcd(4G), 2G.pow(100), 10G.modPow(3G, 7G), 3G.modInverse(7G), 10G.divide(3G), 10G.divideAndRemainder(3G), 10G.bitLength(), 10G.testBit(1), 10G.setBit(0), 10G.clearBit(1), 10G.flipBit(0), 10G.shiftLeft(2), 10G.shiftRight(1), 10G.and(6G), 10G.or(5G), 10G.xor(3G), 10G.not(), 10G.negate(), (-10G).abs(), 10G.signum(), 10G.isProbablePrime(5), 7G.isProbablePrime(5), 10G.toString(2), 10G.intValue(), 10G.longValue(), 10G.toByteArray(), 10G.getLowestSetBit(), 10G.max(3G)] }
t("bi bad") { new BigInteger("1.5") }
t("bi mod0") { 10G.mod(0G) }
t("bi div0") { 10G.divide(0G) }
t("bi bytes") { [new BigInteger(1, [255, 1] as byte[]), new BigInteger([255, 1] as byte[]), new BigInteger(1, "abc".bytes)] }
t("bi exact") { (2G ** 40).intValueExact() }
t("bi %") { [(-10G) % 3G, (-10L) % 3G, (-10) % 3] }
t("radix") { [new BigInteger("ff", 16), new BigInteger("-101", 2), new BigInteger("zz", 36)] }
t("radix bad") { new BigInteger("12", 2) }
