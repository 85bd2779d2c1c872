println "a'b".inspect()
println([a: 'x', b: [1, 'y']].inspect())
println 5.inspect()
println null.inspect()
