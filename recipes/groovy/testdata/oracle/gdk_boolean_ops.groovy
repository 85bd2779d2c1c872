println true && false
println true || false
println !true
println true ^ true
println true & false
println true | false
println(null && true)
println("a" && [1])
println(!"")
