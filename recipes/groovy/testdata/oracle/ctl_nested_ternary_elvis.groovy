def m = [a: null]
println m?.a?.b ?: "none"
println m.a?.size()
println((m.a ?: [1, 2]).size())
