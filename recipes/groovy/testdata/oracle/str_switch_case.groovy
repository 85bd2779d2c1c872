def f(s) {
    switch (s) {
        case "a": return "letter a"
        case ~/[0-9]+/: return "number"
        case ["x", "y"]: return "x or y"
        case String: return "string"
        default: return "other"
    }
}
println f("a")
println f("123")
println f("y")
println f("zzz")
println f(5)
