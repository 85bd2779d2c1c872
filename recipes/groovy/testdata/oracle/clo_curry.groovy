def add = { a, b, c -> "$a-$b-$c" }
println add.curry(1)(2, 3)
println add.curry(1, 2)(3)
println add.rcurry(9)(1, 2)
println add.ncurry(1, 5)(1, 2)
