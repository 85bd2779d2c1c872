int f() { 3.7 }
String g() { "a${1}b" }
long h() { 5 }
println f()
println g().class.simpleName
println h().class.simpleName
