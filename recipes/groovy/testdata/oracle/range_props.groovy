def r = 1..10
println r.from
println r.to
println r.contains(5)
println 11 in r
println r.reverse()
println r.step(3)
println r.sum()
println r[2]
println r[-1]
