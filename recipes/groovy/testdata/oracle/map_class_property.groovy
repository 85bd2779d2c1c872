def m = [class: 5, size: 7]
println m.class
println m.size
println m.size()
