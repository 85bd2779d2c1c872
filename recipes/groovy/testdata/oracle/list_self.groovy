def l = [1]
l << l
println l
