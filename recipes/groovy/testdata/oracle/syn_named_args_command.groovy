def svc(Map m) { m.sort().toString() }
println svc(name: "x", port: 5)
def r = svc name: "y", port: 6
println r
