def s = "one\ntwo\nthree"
s.eachLine { println "> $it" }
s.eachLine { line, n -> println "$n $line" }
println s.readLines()
println s.readLines().size()
