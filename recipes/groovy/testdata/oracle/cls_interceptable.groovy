class B implements GroovyInterceptable {
    def foo(x) { "foo" }
    def own() { foo(2) }
    def invokeMethod(String n, Object args) { "seen $n" }
}
println new B().foo(1)
println new B().bar()
println new B().toString()
def b = new B()
println b.foo(3)
class C extends B { def more() { "more" } }
println new C().more()
println b.invokeMethod("x", [1] as Object[])
