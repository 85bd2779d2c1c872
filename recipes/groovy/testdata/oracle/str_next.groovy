println "a".next()
println "az".next()
println "b".previous()
def s = "a"
s++
println s
