import groovy.transform.*
@ToString(includes = ['b'], includeFields = true) class A { String a; int b; private int z = 3 }
println new A(a: 'x')
@ToString(includeFields = true, includeNames = true) class B { String a; private int z = 3; List l = [1, 'a'] }
println new B(a: 'x')
@ToString class C { int a }
@ToString(includeSuper = true) class D extends C { int b }
println new D(a: 1, b: 2)
@ToString(includeSuperProperties = true) class E extends C { int b }
println new E(a: 1, b: 2)
@ToString class F extends C { int b }
println new F(a: 1, b: 2)
class G extends C { int b }
println new G(a: 1, b: 2)
@ToString(excludes = 'a, b') class H { int a; int b; int c }
println new H(a: 1, c: 3)
@EqualsAndHashCode(includes = 'a') class I { String a; int b }
println new I(a: 'x', b: 1) == new I(a: 'x', b: 2)
println([new I(a: 'x', b: 1), new I(a: 'x', b: 2)].unique().size())
println(([new I(a: 'x', b: 1), new I(a: 'x', b: 2)] as Set).size())
@EqualsAndHashCode(excludes = ['b']) class J { String a; int b }
println new J(a: 'x', b: 1) == new J(a: 'x', b: 2)
println new J(a: 'x', b: 1) == new J(a: 'y', b: 1)
@EqualsAndHashCode class K { int a; private int p; K(a, p) { this.a = a; this.p = p } }
println new K(1, 2) == new K(1, 3)
@Canonical(excludes = ['b']) class L { int a; int b }
println new L(1) == new L(a: 1, b: 2)
println new L(a: 1, b: 2)
@Immutable class M { String a; List l }
def m = new M('x', [1])
try { m.a = 'z' } catch (ReadOnlyPropertyException e) { println e.message }
try { m.l << 2 } catch (UnsupportedOperationException e) { println 'frozen' }
def given = [1]
def n = new M(a: 'x', l: given)
given << 2
println n
println m == n
@Sortable class N { String a; int b; String toString() { "$a$b" } }
println([new N(a: 'y', b: 1), new N(a: 'x', b: 2), new N(a: 'x', b: 1)].sort())
println new N(a: 'a', b: 1) < new N(a: 'a', b: 2)
@Sortable(includes = ['b']) class O { String a; int b }
println([new O(a: 'y', b: 1), new O(a: 'x', b: 0)].sort()*.a)
println([new O(a: 'y', b: 1), new O(a: 'x', b: 0)].max().a)
