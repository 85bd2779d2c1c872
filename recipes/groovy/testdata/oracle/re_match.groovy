println "abc" ==~ /a.c/
println "abcd" ==~ /a.c/
println(("abc" =~ /b/) ? "found" : "none")
def m = "a1b2" =~ /([a-z])(\d)/
println m.size()
println m[0]
println m[0][1]
println m[1][2]
println m.count
