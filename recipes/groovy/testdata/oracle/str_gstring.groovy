def name = "World"
def n = 3
println "Hello $name!"
println "Sum ${n + 1}"
println "Nested ${"inner ${n}"}"
println "Prop $name.length"
println "Call ${name.toUpperCase()}"
println "$name$n"
println "${name}${n}x"
