class C { def n = 10; def f(l) { l.collect { it + n } }; def g() { [1].each { helper(it) } }; def helper(x) { println "helper $x" } }
println new C().f([1, 2])
new C().g()
