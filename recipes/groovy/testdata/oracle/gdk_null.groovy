println null == null
println null.toString()
println "x" + null
println null ?: "d"
println null as String
println([null, 1].findAll { it })
println null instanceof String
println null in [null]
