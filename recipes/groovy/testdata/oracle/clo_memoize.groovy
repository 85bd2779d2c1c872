def calls = 0
def f = { x -> calls++; x * x }.memoize()
println f(3)
println f(3)
println calls
