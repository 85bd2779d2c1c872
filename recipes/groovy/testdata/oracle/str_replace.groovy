println "a.b.c".replace(".", "-")
println "a.b.c".replaceAll(/\./, "-")
println "aaa".replaceFirst("a", "b")
println "hello".replaceAll(/l+/, "L")
println "john smith".replaceAll(/(\w+) (\w+)/, '$2 $1')
println "a1b2".replaceAll(/\d/) { (it.toInteger() * 2).toString() }
println "k=v".replaceAll(/(\w)=(\w)/) { all, k, v -> "$v=$k" }
