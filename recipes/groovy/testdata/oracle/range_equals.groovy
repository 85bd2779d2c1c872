println((1..3) == [1, 2, 3])
println([1, 2, 3] == (1..3))
println((1..3).equals([1, 2, 3]))
