println 1 < 2
println 1 == 1.0
println 1L == 1
println 1.0 == 1.00
println 2 <=> 1
println 1.5 <=> 1.5d
println 0.1 == 0.1d
