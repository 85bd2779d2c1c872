def r = "a b c"
    .split(" ")
    .collect { it.toUpperCase() }
    .join("-")
println r
