int i = Integer.MAX_VALUE
i++
println i
