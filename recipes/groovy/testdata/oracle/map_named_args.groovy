def f(Map opts, x) { "$x $opts" }
println f(1, a: 2, b: 3)
println f(a: 2, 1)
def g(Map opts = [:], String s) { s + opts.size() }
println g("x")
println g("x", k: 1)
