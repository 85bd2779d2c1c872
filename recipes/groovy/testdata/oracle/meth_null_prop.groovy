def x = null
println x.foo
