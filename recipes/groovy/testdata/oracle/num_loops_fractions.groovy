import java.math.*
def t(n, c) { try { def v = c(); println "$n: $v ${v == null ? '' : v.class.simpleName}" } catch (Throwable e) { println "$n ! ${e.class.name}: ${e.message}" } }
t("upto") { def l = []; 1.0.upto(3) { l << it }; l }
t("upto2") { def l = []; 1.5.upto(4) { l << it }; l }
t("upto3") { def l = []; 1.upto(3.5) { l << it }; l }
t("upto4") { def l = []; 1L.upto(3) { l << it.class.simpleName }; l }
t("upto5") { 5.upto(3) { } }
t("upto6") { def l = []; 1G.upto(3) { l << it }; l }
t("upto7") { def l = []; 1.5d.upto(3) { l << it }; l }
t("upto8") { def l = []; 1.5f.upto(3) { l << it }; l }
t("upto9") { def l = []; 1.5.upto(3) { l << it }; l }
t("downto") { def l = []; 3.downto(1) { l << it }; l }
t("downto2") { 1.downto(3) { } }
t("downto3") { def l = []; 3.5.downto(1) { l << it }; l }
t("downto4") { def l = []; 3.5d.downto(1) { l << it }; l }
t("step") { def l = []; 1.step(10, 3) { l << it }; l }
t("step2") { def l = []; 1.step(2, 0.25) { l << it }; l }
t("step3") { def l = []; 10.step(1, -3) { l << it }; l }
t("step4") { 1.step(10, 0) { } }
t("step5") { 1.step(10, -1) { } }
t("step6") { def l = []; 1.5.step(4, 1) { l << it }; l }
t("step7") { def l = []; 1.step(1, 1) { l << it }; l }
t("step8") { def l = []; 1L.step(5, 2) { l << it.class.simpleName }; l }
t("times") { def l = []; 3.times { l << it }; 2.5.times { l << it }; l }
t("round") { [1.5d.round(), 1.255d.round(2), 1.5f.round(), 1.255f.round(2), 1.5d.trunc(), 1.259d.trunc(2), 2.5d.round().class.simpleName] }
t("misc") { [5.intdiv(2), 5.power(2), 5.mod(3), 5.xor(3), 5.and(3), 5.or(3), 5.leftShift(2), 5.rightShift(1), 5.rightShiftUnsigned(1), 5.isCase(5), 5.toLong().class.simpleName, 5.next(), 5.previous(), 5.abs(), 5.compareTo(6), (5 as Integer).equals(5L), 5.hashCode(), 5.toString(), 5.byteValue(), 300.byteValue(), 70000.shortValue(), 1.7.intValue(), 3000000000L.intValue(), 1e10d.intValue(), 5.plus(1), 5.minus(1), 5.multiply(2), 5.div(2), 5.unaryPlus()] }
