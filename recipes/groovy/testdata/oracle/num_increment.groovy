def i = 5
println i++
println i
println(++i)
println i--
println(--i)
