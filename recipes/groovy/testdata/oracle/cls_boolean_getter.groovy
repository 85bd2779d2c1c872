class B { boolean active = true; boolean isReady() { false } }
def b = new B()
println b.active
println b.isActive()
println b.getActive()
println b.ready
