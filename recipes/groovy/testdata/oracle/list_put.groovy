def l = [1, 2]
l[0] = 9
l[4] = 5
println l
l << 6
l += 7
println l
l[-1] = 70
println l
