import groovy.json.JsonBuilder
println new JsonBuilder([a: 1]).toString()
def b = new JsonBuilder()
b.person { name "Bob"; age 5 }
println b.toString()
println new JsonBuilder([a: [1, 2]]).toPrettyString()
