println "a\r\nb\rc".normalize().readLines()
println "a b".denormalize()
