assert 1 + 1 == 2
assert true : "msg"
println "ok"
