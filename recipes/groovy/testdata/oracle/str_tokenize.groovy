println "a b  c".tokenize()
println "a,b;c".tokenize(",;")
println "/usr/local/bin".tokenize("/")
println "".tokenize()
