println "1,2,3".split(",")*.toInteger().sum()
println([1, 2] as String[])
println((1..3) as List)
println("abc" as char[])
println([a: 1] as TreeMap)
println 5 as String
println "x" as List
