def v = 0
"hello".each { if (it in ["a", "e", "i", "o", "u"]) v++ }
println v
println "hello".collect { it.toUpperCase() }.join()
println "hello".inject("") { a, c -> c + a }
println "a,b".tokenize(",").collect { "<$it>" }
println "abc".any { it == "b" }
println "abc".findIndexOf { it == "c" }
