def m = [a: 1]
println([*:m, b: 2])
def f(Map m) { m }
println f(x: 1, *:m)
