println Long.MAX_VALUE + 1
println Long.MIN_VALUE
println 9223372036854775807
