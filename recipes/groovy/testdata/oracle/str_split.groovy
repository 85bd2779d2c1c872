println "a,b,c".split(",")
println "a,b,c".split(",").size()
println "a,b,,".split(",").length
println "a b  c".split()
println "a1b2c".split(/\d/).toList()
println "a.b".split("\\.").join("|")
println "a,b,c".split(",", 2).toList()
println "".split(",").length
