def c = { Object... xs -> xs.length }
println c()
println c(1, 2)
def d = { first, Object... rest -> "$first ${rest.toList()}" }
println d("a", 1, 2)
