import groovy.transform.*
@ToString class A { def x; def y }
println new A(x: 1, y: 2)
@ToString(includeNames = true) class B { def x }
println new B(x: 1)
@EqualsAndHashCode class C { def x }
println new C(x: 1) == new C(x: 1)
@Canonical class D { def x; def y }
println new D(1, 2)
println new D(1, 2) == new D(1, 2)
@TupleConstructor class E { def a; def b }
println new E(5, 6).b
