println([[1, 2], [3, 4]].transpose())
println([["a", "b"], [1, 2, 3]].transpose())
