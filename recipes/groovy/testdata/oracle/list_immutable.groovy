def l = [1, 2].asImmutable()
println l
try { l << 3; println "no" } catch (UnsupportedOperationException e) { println "immutable" }
