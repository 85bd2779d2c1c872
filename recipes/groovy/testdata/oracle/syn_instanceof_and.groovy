def x = "s"
if (x instanceof String && x.size() == 1) println "one"
if (!(x instanceof List)) println "not list"
