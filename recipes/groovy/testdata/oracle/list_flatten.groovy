println([1, [2, [3, [4]]]].flatten())
println([[1, 2], [3]].flatten())
println([1, [a: 1]].flatten())
