class B { def parts = []; B add(p) { parts << p; this }; String build() { parts.join("-") } }
println new B().add(1).add(2).build()
