def k = "a"
def m = [a: 1]
println m["$k"]
println m."$k"
println m."${k}"
