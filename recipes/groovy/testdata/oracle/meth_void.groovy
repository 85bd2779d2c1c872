void f() { 5 }
println f()
