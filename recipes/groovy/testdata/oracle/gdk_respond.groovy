println "abc".respondsTo("toUpperCase") ? "yes" : "no"
println "abc".respondsTo("nope") ? "yes" : "no"
class H { def x }
println new H().hasProperty("x") ? "yes" : "no"
println new H().hasProperty("y") ? "yes" : "no"
