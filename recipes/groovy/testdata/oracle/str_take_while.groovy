println "aabbcc".takeWhile { it == "a" || it == "b" }
println "aabbcc".dropWhile { it == "a" }
