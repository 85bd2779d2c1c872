def g(String s) { "string " + s }
def g(Object o) { "object " + o }
println g(null as String)
