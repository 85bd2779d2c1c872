println "a".is("a".intern())
println "abc".toString()
