class P { def n; String toString() { "P($n)" } }
println new P(n: 1)
println "${new P(n: 2)}"
println([new P(n: 3)])
println "x" + new P(n: 4)
println([k: new P(n: 5)])
