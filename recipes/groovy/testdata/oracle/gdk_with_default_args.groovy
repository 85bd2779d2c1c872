println([1, 2, 3].with { sum() })
def r = [a: 1].with { b = 2; it }
println r
