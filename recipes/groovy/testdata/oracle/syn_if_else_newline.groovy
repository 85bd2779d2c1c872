def x = 3
if (x > 5)
    println "big"
else
    println "small"
if (x > 1) {
    println "more"
}
else {
    println "less"
}
