println([[1, 2], [3, 4]].combinations())
println([1, 2, 3].permutations().size())
println([1, 2].subsequences().size())
