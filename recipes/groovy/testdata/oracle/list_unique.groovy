println([1, 2, 1, 3].unique())
def l = [1, 1]
println l.unique(false)
println l
println([1, 2, 3, 4].unique { it % 2 })
println([1, 2, 3].toSet().size())
println(["a", "A"].unique { a, b -> a.compareToIgnoreCase(b) })
