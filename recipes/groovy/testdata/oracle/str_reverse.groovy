println "hello".reverse()
println "hello".toList()
println "hello" as List
println "abc".collect { it * 2 }
println "abc".each { print it }
