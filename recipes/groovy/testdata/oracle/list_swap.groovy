println([1, 2, 3].swap(0, 2))
def l = [1, 2, 3]
Collections.reverse(l)
println l
Collections.sort(l)
println l
println Collections.max(l)
println Collections.emptyList()
