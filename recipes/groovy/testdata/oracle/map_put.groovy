def m = [:]
m.a = 1
m["b"] = 2
m.put("c", 3)
m << [d: 4]
m += [e: 5]
println m
m.putAll([f: 6])
println m.size()
def k = "dyn"
m[k] = 7
m."quoted key" = 8
println m
