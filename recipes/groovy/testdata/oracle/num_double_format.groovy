println 100.0d
println 1e10d
println 1.0e-5d
println 123456789.0d
println 0.001d
println 1234567.0d
println 12345678.9d
