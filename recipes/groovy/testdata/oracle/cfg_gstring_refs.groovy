def c = new ConfigSlurper().parse('''
port = 3306
url = "jdbc:mysql://localhost:${port}/db"
list = ["a", "b"]
m = [k: port + 1]
sum = port + 10
cond = port > 3000 ? "high" : "low"
''')
println c.url
println c.m.k
println c.sum
println c.cond
println c.list[1]
