println "cost: \$5"
println 'cost: $5'
println "a\$b"
println "${'$'}x"
