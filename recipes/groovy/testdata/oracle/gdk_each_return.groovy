println([1, 2].each { })
println([a: 1].each { })
println((1..2).each { })
println "ab".each { }
