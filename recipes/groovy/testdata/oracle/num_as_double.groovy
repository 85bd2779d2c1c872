println 2d ** 3
println((2d ** 3).class)
println 4f ** 2
println((4.0 ** 0.5).class)
println 1.5d ** 2
println((-2d) ** 3)
println((10d ** 10).class)
println 10d ** 30
println((BigDecimal) 1.1d)
BigDecimal x = 0.1d
println x
BigDecimal half() { 0.5d }
println half()
class P { BigDecimal b }
println new P(b: 1.1d).b
println 1.1d as BigDecimal
println Math.abs(-5.50)
println Math.abs(-5)
println(['1', '2'] as int[])
println(('1 2 3'.split(' ') as Integer[]).sum())
println(['1.5', '2'] as double[])
int[] chars = ['1', '2']
println chars
try { println(['x1'] as int[]) } catch (NumberFormatException e) { println e.message }
println 'zookeeper'.toSet()
println('b a c b'.split(' ') as Set)
println(['b', 'a', 'b'] as Set)
