println((-5).abs())
println((-5.5).abs())
println((-5L).abs().class)
