println 10L / 4
println 10L / 5L
println((10L / 5L).class)
