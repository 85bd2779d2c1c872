class I {
    static s = []
    static { s << "static" }
    def l = [];
    { l << "instance" }
    I() { l << "ctor" }
}
println I.s
println new I().l
