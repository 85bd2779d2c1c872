println "[" + "7".padLeft(3, "0") + "]"
println "[" + "ab".padRight(5) + "]"
println "[" + "ab".center(6, "*") + "]"
