x = 5
def f() { x * 2 }
println f()
println binding.hasVariable("x")
println binding.getVariable("x")
y = x
println y
