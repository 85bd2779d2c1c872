@groovy.transform.ToString class A { def a; def b }
def v = new A(b: 2)
v.a = v
println v
println "$v"
println([v])
@groovy.transform.ToString(includeNames=true) class B { def x }
println new B(x: new B(x: 1))
