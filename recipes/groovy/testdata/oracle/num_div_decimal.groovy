println 1.0 / 4
println 10.00 / 4
println 100 / 8.0
println 5.5 / 1.1
