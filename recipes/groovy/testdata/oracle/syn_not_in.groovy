println !(1 in [1])
println ![].contains(1)
println !null
println ![1]
