[1, 2].each { x -> [3, 4].each { print x * it + " " } }
println()
[[1, 2], [3]].each { it.each { print it } }
println()
