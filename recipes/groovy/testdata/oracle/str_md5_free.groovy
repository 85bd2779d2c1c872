println "x".multiply(3)
println "x".plus("y")
println "xyx".minus("x")
