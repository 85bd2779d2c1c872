class M {
    def methodMissing(String n, args) { "$n(${args.join(',')})" }
    def propertyMissing(String n) { "prop $n" }
}
println new M().anything(1, 2)
println new M().foo
