def c = { a, b = 2, d = 3 -> "$a$b$d" }
println c(1)
println c(1, 9)
println c(1, 9, 8)
