def f(x) {
    switch (x) {
        case null: return "null"
        case Integer: return "int"
        case [1.5, 2.5]: return "list"
        case "s": return "s"
        case Map: return "map"
        case { it instanceof List && it.size() > 2 }: return "long list"
        case List: return "list type"
        case 10L..20L: return "range"
        case Number: return "number"
        default: return "?"
    }
}
println f(null)
println f(5)
println f(1.5)
println f("s")
println f([a: 1])
println f([1, 2, 3])
println f([1])
println f(3.25)
println f(new Object()) 
