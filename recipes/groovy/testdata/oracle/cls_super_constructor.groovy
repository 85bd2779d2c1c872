class A { def n; A(n) { this.n = n } }
class B extends A { def m; B(n, m) { super(n * 2); this.m = m } }
def b = new B(1, 5)
println b.n
println b.m
