println "  ".isAllWhitespace()
println "a ".isAllWhitespace()
