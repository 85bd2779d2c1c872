println([1, 2, 3, 4].subList(1, 3))
println([1, 2, 3].get(1))
println([1, 2, 3].set(1, 9))
