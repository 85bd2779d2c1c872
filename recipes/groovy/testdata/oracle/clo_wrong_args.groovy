def c = { a, b -> a }
c(1, 2, 3)
