[1, 2, 3].each { print it }
println()
[1, 2].each { x -> print x * 2 }
println()
["a", "b"].eachWithIndex { x, i -> print "$i$x " }
println()
[1, 2, 3].reverseEach { print it }
println()
