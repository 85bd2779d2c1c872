@groovy.transform.Field def counter = 10
def inc() { counter++ }
inc()
inc()
println counter
