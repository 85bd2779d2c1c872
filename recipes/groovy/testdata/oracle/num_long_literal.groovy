println 3L
println((3L).class)
println 2147483648
println((2147483648).class)
