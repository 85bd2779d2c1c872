def m = "abc" =~ /x/
println m.size()
println m[0]
