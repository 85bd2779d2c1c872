println((1.5..4.5).toList())
println(3 in 1..5)
println(2.5 in 1..5)
