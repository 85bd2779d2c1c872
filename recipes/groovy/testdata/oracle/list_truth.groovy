println([] ? "t" : "f")
println([0] ? "t" : "f")
println([:] ? "t" : "f")
println([a: 1] ? "t" : "f")
