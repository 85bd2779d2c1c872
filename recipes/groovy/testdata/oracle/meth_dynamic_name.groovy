def name = "toUpperCase"
println "abc"."$name"()
println "abc"."toUpperCase"()
println "abc"."${name}"()
def foo() { "foo called" }
println "foo"()
println this."foo"()
