def path = "/opt/app/conf/my.cnf"
println path.substring(path.lastIndexOf("/") + 1)
println path.tokenize("/")[-1]
println path[path.lastIndexOf(".")..-1]
println path - "/opt"
println path.replace("/", "\\")
