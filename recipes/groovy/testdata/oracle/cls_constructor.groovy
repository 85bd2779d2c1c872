class P {
    def a, b
    P(a) { this.a = a; b = "default" }
    P(a, b) { this(a); this.b = b }
}
println new P(1).b
println new P(1, 2).b
println new P(1).a
