Runnable r = { println "ran" }
r.run()
def cmp = { a, b -> b <=> a } as Comparator
println([1, 3, 2].sort(cmp))
def t = { println "callable" } as Runnable
t.run()
