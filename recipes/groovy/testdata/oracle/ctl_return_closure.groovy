def f() { [1, 2, 3].each { if (it == 2) return; print it }; println(); "after" }
println f()
