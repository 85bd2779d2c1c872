enum Op {
    PLUS { int apply(int a, int b) { a + b } },
    TIMES { int apply(int a, int b) { a * b } }
    abstract int apply(int a, int b)
}
println Op.PLUS.apply(2, 3)
println Op.TIMES.apply(2, 3)
