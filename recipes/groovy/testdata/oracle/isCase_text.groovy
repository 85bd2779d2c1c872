def kind(x) {
    switch (x) {
        case "8080": return "text of port"
        case 443: return "number"
        case ["a", 5]: return "list"
        case null: return "null"
        default: return "other"
    }
}
println kind(8080)
println kind("8080")
println kind("443")
println kind(443L)
println kind(443.0)
println kind(5L)
println kind(null)
println kind("${8000 + 80}")
println([1, "1", 2, "22"].grep("1"))
println(5 in ["5"])
println("5" in [5, "5"])
println("b" in ["a", "b"])
