println "hello".collectReplacements { it == 'l' ? 'L' : null }
println "hello".collectReplacements { null }
println "x${1}y".collectReplacements { it == 'y' ? 'zz' : null }
