def n = "x"
println($/dollar $n and /slash/ and $$ and \n/$)
