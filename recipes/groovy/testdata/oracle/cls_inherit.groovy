class A { def x = 1; def hi() { "A.hi " + who() }; def who() { "A" } }
class B extends A { def y = 2; def who() { "B" }; def hi() { "B>" + super.hi() } }
def b = new B()
println b.hi()
println b.x + b.y
println b instanceof A
println new A().hi()
