def e = [a: 1].entrySet().iterator().next()
println e
println e.key
println e.value
println e.getKey()
