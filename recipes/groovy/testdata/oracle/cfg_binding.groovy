def s = new ConfigSlurper()
s.binding = [who: "me"]
println s.parse('hello = "hi $who"').hello
