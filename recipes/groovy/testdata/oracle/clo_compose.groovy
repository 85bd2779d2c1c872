def dbl = { it * 2 }
def inc = { it + 1 }
println((dbl >> inc)(5))
println((dbl << inc)(5))
