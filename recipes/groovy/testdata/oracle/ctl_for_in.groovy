for (x in [1, 2, 3]) print x
println()
for (def x : ["a", "b"]) print x
println()
for (String s in ["x"]) println s
for (e in [a: 1]) println e
for (c in "abc") print c + "."
println()
for (x in null) println "never"
