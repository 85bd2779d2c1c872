def x = null
println "x=$x"
println "x=${x?.size()}"
println "x=${x ?: 'none'}"
