def f(x) {
    def r = []
    switch (x) {
        case 1: r << "one"
        case 2: r << "two"; break
        case 3: r << "three"
        default: r << "default"
    }
    r
}
println f(1)
println f(2)
println f(3)
println f(9)
