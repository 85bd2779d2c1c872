def a = new int[3]
println a
a[1] = 5
println a
println a.length
def s = new String[2]
println s
def m = new int[2][2]
println m
println m.length
