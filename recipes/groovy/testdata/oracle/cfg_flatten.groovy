def c = new ConfigSlurper().parse("a { b { c = 1 }; d = 2 }\ne = 3")
println c.flatten()
println c.toProperties().size()
