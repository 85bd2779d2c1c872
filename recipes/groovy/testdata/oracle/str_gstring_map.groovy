def m = [a: [b: 5], list: [1, 2]]
println "v: $m.a.b"
println "l: ${m.list[1]}"
println "m: $m"
