println 5 & 3
println 5 | 3
println 5 ^ 3
println(~5)
println 1 << 4
println(-16 >> 2)
println(-16 >>> 28)
println 1 << 33
println 1L << 33
