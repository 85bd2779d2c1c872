def m = [class: 1, in: 2, default: 3, new: 4, if: 5]
println m.in
println m.default
println m.new
println m.if
println m.'class'
