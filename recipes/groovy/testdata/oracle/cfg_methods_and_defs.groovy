def c = new ConfigSlurper().parse('''
def base = "/opt"
home = base + "/app"
def twice(x) { x * 2 }
n = twice(4)
nested { path = "${home}/bin" }
''')
println c.home
println c.n
println c.nested.path
println c.containsKey("base")
