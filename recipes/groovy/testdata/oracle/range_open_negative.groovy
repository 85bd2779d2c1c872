def l = [1, 2, 3, 4, 5]
println l[1..<-1]
println l[0..<-1]
println l[-3..<-1]
println l[1..<1]
println l[1..-1]
println l[0..<3]
println "hello"[1..<-1]
println "hello"[-3..<-1]
println "hello"[0..<0]
l[1..<3] = [9, 8]
println l
println((1..<4).toString() + " " + (1..4) + " " + (4..<1))
