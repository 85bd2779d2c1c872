class Outer {
    static class Inner { def v = 5 }
    def make() { new Inner() }
}
println new Outer().make().v
println new Outer.Inner().v
