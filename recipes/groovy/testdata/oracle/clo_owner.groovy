def c = { owner.class.name == this.class.name }
println c()
def outer = { def inner = { owner }; inner() }
println outer() instanceof Closure
println outer().is(outer)
