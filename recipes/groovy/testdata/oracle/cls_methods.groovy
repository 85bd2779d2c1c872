class Calc {
    def base = 10
    def add(x) { base + x }
    def twice(x) { add(add(x)) }
    private secret() { "s" }
    def reveal() { secret() }
}
def c = new Calc()
println c.add(1)
println c.twice(1)
println c.reveal()
