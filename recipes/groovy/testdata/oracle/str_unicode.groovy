println "é".length()
println "日本".size()
println "日本"[1]
println "日本".reverse()
