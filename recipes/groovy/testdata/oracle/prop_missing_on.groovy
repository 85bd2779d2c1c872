class A { def x }
println new A().y
