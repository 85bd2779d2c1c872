def i = 0
loop:
while (true) {
    i++
    switch (i) {
        case 1: continue loop
        case 5: break loop
    }
    println i
}
println "end $i"
