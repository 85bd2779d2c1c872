def a = [1, 2]
println([0, *a, 3])
def f(x, y) { x + y }
println f(*a)
println([*1..3])
println([*a, *a].size())
