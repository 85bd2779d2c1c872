println 7.intdiv(2)
println((-7).intdiv(2))
println 7L.intdiv(2).class
