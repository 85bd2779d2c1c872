for (int i = 0; i < 3; i++) print i
println()
for (int i = 0; i < 10; i += 3) print "$i-"
println()
def n = 0
for (;;) { if (n++ > 2) break }
println n
