def hosts = [[name: "db1", ip: "10.0.0.1"], [name: "db2", ip: "10.0.0.2"]]
def file = hosts.collect { String.format("%-15s %s", it.ip, it.name) }.join("\n")
println file
println file.readLines().find { it.contains("db2") }.split(/\s+/)[0]
println hosts*.name.join(",")
println hosts.collectEntries { [(it.name): it.ip] }
