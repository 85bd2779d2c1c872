switch (7) {
    case 1: println "1"; break
    default: println "d"
    case 2: println "2"; break
}
