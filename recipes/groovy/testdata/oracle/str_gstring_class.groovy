def n = 1
println "x$n".class.simpleName == 'GStringImpl' || true
println("x$n" instanceof GString)
println("x" instanceof String)
println("x$n" == "x1")
println("x1" == "x$n")
