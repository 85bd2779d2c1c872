class A {
    def log = []
    A() { init() }
    def init() { log << "A" }
}
class B extends A {
    def seen
    String text = "set late"
    int n
    def init() { super.init(); seen = "early"; n = 4; text = "early" }
}
def b = new B()
println b.log + [b.seen, b.text, b.n]
class C extends A {
    def list = []
    def init() { log << "C:" + (list == null) }
}
println new C().log
println new C().list
class U { static String who() { "u" } }
println U.class.name + " " + U.class.who() + " " + (U.class == U) + " " + new U().class.who()
