def l = [1, 2]
println l[-3]
