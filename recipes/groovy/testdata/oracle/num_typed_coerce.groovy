int a = 3.7
long b = 5
double c = 2
float d = 1.5
BigDecimal e = 4
println a
println b
println b.getClass()
println c
println c.getClass()
println d
println e
println e.getClass()
