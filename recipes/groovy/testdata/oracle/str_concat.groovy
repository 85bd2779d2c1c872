println "a" + "b"
println "a" + 1
println "a" + 1.5
println "a" + null
println "a" + [1, 2]
println "a" + [k: 1]
println "a" + true
println 1 + "a"
println 'a' + 'b' as String
