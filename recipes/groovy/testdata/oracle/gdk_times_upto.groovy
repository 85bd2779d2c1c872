def s = 0
5.times { s += it }
println s
(1..3).each { i -> (1..i).each { print it } }
println()
println 3.collect { it }
