def x = 1
if (true) { def y = 2; x += y }
println x
{ -> def z = 5; println z }()
