println "abc".toCharArray().class.simpleName
println "abc".chars.size()
"abc".each { println it.class.simpleName }
println "abc".bytes.size()
println "abc".bytes
