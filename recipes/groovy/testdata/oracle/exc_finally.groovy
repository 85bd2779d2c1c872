def f() { try { println "try"; return "r" } finally { println "finally" } }
println f()
def g() { try { throw new Exception("x") } catch (e) { return "caught" } finally { println "fin" } }
println g()
