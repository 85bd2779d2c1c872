def f(x) { if (x > 5) "big" else if (x > 2) "mid" else "small" }
println f(9)
println f(3)
println f(0)
if (1) println "one"
if ("") println "never"
else println "else"
