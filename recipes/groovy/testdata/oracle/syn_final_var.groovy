final x = 5
final String s = "a"
println x + s
