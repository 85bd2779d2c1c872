def m = new HashMap()
["zeta", "alpha", "beta", "gamma", "delta"].each { m[it] = it.size() }
println m
println m.keySet()
println(new HashSet([3, 1, 2, 17, 16]))
println(["x", "aa", "b"].toSet())
