(1..10).step(4) { print it + " " }
println()
println((10..1).step(3))
