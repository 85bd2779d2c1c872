class P { def x; def y; P(x, y) { this.x = x; this.y = y } }
P p = [1, 2]
println p.x + p.y
def q = [3, 4] as P
println q.x
