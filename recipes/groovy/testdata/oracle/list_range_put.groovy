def l = [1, 2, 3, 4]
l[1..2] = ["a", "b", "c"]
println l
