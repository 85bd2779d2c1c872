// What stands in ${ } may be statements: a label, a declaration, an if.
def host = "a"
def port = 80
println "${host:port} ${def n = 2; n + 1} ${if (port > 1) "many" else "one"} ${}."
println "${port;}"
def m = [:]
m["${host:port}"] = 1
println m.keySet().first() + "|" + "${[1, 2].collect { it * 2 }}"
def f() { "${return 7} ${for (i in 1..3) { if (i == 2) return i }}" }
println f()
