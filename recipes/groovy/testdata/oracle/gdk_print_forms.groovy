print "a"
print 1
println()
println "x", 
println(["a"])
printf("%s-%s%n", "a", "b")
println null
println true
println 1.0
println 'c' as char
