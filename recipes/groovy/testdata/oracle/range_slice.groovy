def s = "hello"
println s[1..-1]
println s[0..-2]
def l = (1..10).toList()
println l[2..4]
println l[-3..-1]
