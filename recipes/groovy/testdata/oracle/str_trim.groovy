println "[" + "  x y ".trim() + "]"
println "[" + "\t\nx\n".trim() + "]"
