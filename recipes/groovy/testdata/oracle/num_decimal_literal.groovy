println 1.5
println((1.5).class)
println 1.50
println 100.00
