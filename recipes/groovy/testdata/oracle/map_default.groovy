def m = [:].withDefault { k -> k * 2 }
println m.a
println m["b"]
println m
def counts = [:].withDefault { 0 }
"hello".each { counts[it]++ }
println counts
