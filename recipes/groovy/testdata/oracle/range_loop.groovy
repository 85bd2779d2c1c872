for (i in 1..3) print i
println()
for (i in 3..1) print i
println()
for (i in 0..<3) print i
println()
(1..3).each { print it }
println()
for (c in 'a'..'c') print c
println()
