class S {
    static int count = 0
    static final String NAME = "S!"
    static inc() { count++; count }
    def touch() { count += 10 }
}
S.inc()
println S.inc()
println S.count
println S.NAME
new S().touch()
println S.count
println new S().NAME
