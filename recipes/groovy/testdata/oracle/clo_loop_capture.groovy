def l = []
for (i in 1..3) l << { i }
println l*.call()
def k = []
for (int i = 0; i < 3; i++) { def j = i; k << { j } }
println k*.call()
def e = []
[1, 2].each { x -> e << { x } }
println e*.call()
