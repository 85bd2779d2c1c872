def t = new TreeMap([b: 1, a: 2, c: 0])
println t
println t.firstKey()
println t.lastKey()
t.d = 5
println t.keySet()
