println((1..<1))
println((1..<1).size())
println((0..-1))
for (i in 0..<0) println "never"
println "done"
