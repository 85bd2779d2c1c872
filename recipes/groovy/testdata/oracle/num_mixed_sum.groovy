println([1, 2.5, 3L].sum())
println([1, 2, 3].sum() / 2)
println([0.1, 0.2, 0.3].sum())
