println "42" as int
println "42" as Integer
println "3.14" as BigDecimal
println "2.5" as double
println 65 as char
println 3.9 as int
println 5 as String
