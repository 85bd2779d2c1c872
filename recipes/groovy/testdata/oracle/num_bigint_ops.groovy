println 10G ** 20
println 100G / 7
println 100G % 7
println 2G * 3
println((2G * 3).class)
