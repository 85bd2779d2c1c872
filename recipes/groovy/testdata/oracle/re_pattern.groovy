def p = ~/\d+/
println p.class.simpleName
println "123" ==~ p
println p.matcher("a12b").find()
println "a1b22c".replaceAll(p, "#")
println p
