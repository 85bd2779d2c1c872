def m = [:]
println m.get("k", [])
m.get("k", []) << 1
println m
