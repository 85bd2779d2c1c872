println 0xFF
println 0x7fffffff
println 017
println 0b1010
println 1_000_000
println 0xFFL
