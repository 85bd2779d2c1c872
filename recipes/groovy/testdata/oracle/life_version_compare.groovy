def parse = { it.tokenize(".")*.toInteger() }
def compare = { a, b ->
    def x = parse(a), y = parse(b)
    def r = [x, y].transpose().findResult { p, q -> p <=> q ?: null }
    r ?: x.size() <=> y.size()
}
println compare("1.2.3", "1.2.10")
println compare("2.0", "2.0.1")
println compare("3", "3")
println(["1.10", "1.9", "1.2.3"].sort { a, b -> compare(a, b) })
