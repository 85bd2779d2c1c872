def l = [3, 1, 2]
println Collections.max(l)
println Collections.min(l)
Collections.sort(l)
println l
println Collections.unmodifiableList(l)
println Collections.frequency([1, 2, 1], 1)
println Collections.nCopies(3, "x")
