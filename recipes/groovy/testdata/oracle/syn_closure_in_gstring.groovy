println "v ${{ -> 5 }()}"
def c = { "called" }
println "${c()}"
