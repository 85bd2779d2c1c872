def i = 0
while (i < 3) { print i; i++ }
println()
while (true) { if (++i > 6) break; if (i == 5) continue; print i }
println()
