enum Op { ADD, SUB }
def f(Op o, a, b) {
    switch (o) {
        case Op.ADD: return a + b
        case Op.SUB: return a - b
    }
}
println f(Op.ADD, 1, 2)
println f(Op.SUB, 1, 2)
