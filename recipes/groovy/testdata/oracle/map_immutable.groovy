def m = [a: 1].asImmutable()
try { m.b = 2; println "no" } catch (UnsupportedOperationException e) { println "immutable" }
