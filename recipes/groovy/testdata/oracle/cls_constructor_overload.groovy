class O { def k; O(int x) { k = "int" }; O(String s) { k = "string" }; O() { k = "none" } }
println new O(1).k
println new O("a").k
println new O().k
