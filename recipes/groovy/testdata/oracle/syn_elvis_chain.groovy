def a = null, b = "", c = "c"
println a ?: b ?: c
