def l = []
println l.empty
println l.isEmpty()
println "".empty
