interface K { int N = 5; String S = "s" }
class C implements K { def n() { N + 1 } }
println K.N
println new C().n()
