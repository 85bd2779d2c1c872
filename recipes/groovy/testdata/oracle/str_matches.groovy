println "abc123".matches("[a-z]+\\d+")
println "abc".matches("b")
