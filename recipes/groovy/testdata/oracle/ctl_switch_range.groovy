def f(n) {
    switch (n) {
        case 0..9: "digit"; break
        case 10..99: "two"; break
        case { it > 1000 }: "huge"; break
        default: "many"
    }
}
println f(5)
println f(50)
println f(5000)
println f(500)
