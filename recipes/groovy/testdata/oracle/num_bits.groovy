import java.math.*
def t(n, c) { try { def v = c(); println "$n: $v ${v == null ? '' : v.class.simpleName}" } catch (Throwable e) { println "$n ! ${e.class.name}: ${e.message}" } }
[0, 1, -1, 255, -255, 2147483647, -2147483648].each { n ->
 ["toBinaryString","toHexString","toOctalString","bitCount","reverse","reverseBytes","highestOneBit","lowestOneBit","numberOfLeadingZeros","numberOfTrailingZeros","signum","hashCode","toString"].each { m -> t("I.$m $n") { Integer."$m"(n) }; t("L.$m $n") { Long."$m"(n as long) } }
 t("I.ts36 $n") { Integer.toString(n, 36) }; t("I.ts2 $n") { Integer.toString(n, 2) }; t("L.ts16 $n") { Long.toString(n as long, 16) }; t("I.us $n") { Integer.toUnsignedString(n) }; t("I.ul $n") { Integer.toUnsignedLong(n) }; t("rot $n") { Integer.rotateLeft(n, 3) + "," + Integer.rotateRight(n, 3) }; t("Long.rot $n") { Long.rotateLeft(n as long, 3) } }
[5L, -5L, 4294967296L].each { n -> ["toBinaryString","toHexString","toOctalString","bitCount","reverse","reverseBytes","highestOneBit","lowestOneBit","numberOfLeadingZeros","numberOfTrailingZeros","signum","hashCode","toString"].each { m -> t("L.$m $n") { Long."$m"(n) } } }
