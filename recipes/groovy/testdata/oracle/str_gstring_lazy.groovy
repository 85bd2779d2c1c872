def n = 1
def s = "n=${-> n}"
println s
n = 2
println s
