println 1e3
println 1.5e10
println 1e-10
println 123.456e2
