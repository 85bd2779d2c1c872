def s = "hello"
println s[0]
println s[-1]
println s[1..3]
println s[-3..-1]
println s[0, 2, 4]
println s[3..1]
println s[1..<3]
