println 1 + 2 * 3
println((1 + 2) * 3)
println 2 ** 3 ** 2
println(-2 ** 2)
println 10 - 4 - 3
println 1 + 1 == 2
println !true == false
println 5 & 3 == 3
println 1 << 2 + 1
println 7 - 2 in [5]
