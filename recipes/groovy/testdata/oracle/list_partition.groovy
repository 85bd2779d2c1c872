println([1, 2, 3, 4, 5].collate(2))
println([1, 2, 3, 4, 5].collate(2, false))
println([1, 2, 3, 4].collate(2, 1))
println((1..10).collate(3))
