static def helper(x) { x + 1 }
println helper(1)
