class R implements Iterable { def l = [1, 2, 3]; Iterator iterator() { l.iterator() } }
for (x in new R()) print x
println()
println new R().collect { it * 2 }
