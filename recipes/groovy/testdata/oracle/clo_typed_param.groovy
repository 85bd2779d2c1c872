def c = { String s, int n -> s * n }
println c("ab", 2)
def d = { int x -> x }
println d(5)
