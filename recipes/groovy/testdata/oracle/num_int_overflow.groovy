println Integer.MAX_VALUE + 1
println Integer.MIN_VALUE - 1
println 65536 * 65536
