println "hello".hashCode()
println "".hashCode()
println "Aa".hashCode() == "BB".hashCode()
