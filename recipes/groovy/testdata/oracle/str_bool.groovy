println "true".toBoolean()
println "yes".toBoolean()
println "y".toBoolean()
println "1".toBoolean()
println "true" as boolean
println "" as boolean
