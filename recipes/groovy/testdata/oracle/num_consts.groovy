println Integer.MAX_VALUE
println Integer.MIN_VALUE
println Long.MAX_VALUE
println Double.MAX_VALUE
println Short.MAX_VALUE
println Byte.MIN_VALUE
