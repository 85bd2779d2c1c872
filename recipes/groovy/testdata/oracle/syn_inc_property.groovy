class C { int n = 0; static int s = 0 }
def c = new C()
c.n++
++c.n
c.n += 3
C.s++
println c.n
println C.s
def l = [1, 2]
l[0]++
l[1] += 10
println l
