println 1.equals(1L)
println 1.equals(1)
println 1.0.equals(1.00)
println((1 as Integer) == (1 as Long))
