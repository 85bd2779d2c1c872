println 1 <=> 2
println "b" <=> "a"
println null <=> 1
println([1, 2] == [1, 2])
println(true <=> false)
