def s = "a" +
    "b" +
    "c"
println s
def t = s
    .toUpperCase()
    .toLowerCase()
println t
