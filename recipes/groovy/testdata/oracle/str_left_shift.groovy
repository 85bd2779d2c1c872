def s = "a" << "b"
println s
println s.class.simpleName
s << "c"
println s
