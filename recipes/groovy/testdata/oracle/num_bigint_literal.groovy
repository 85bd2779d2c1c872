println 9223372036854775808
println((9223372036854775808).class)
println 5G
println((5G).class)
