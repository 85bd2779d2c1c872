import groovy.json.JsonBuilder
def b = new JsonBuilder([a: 1, b: [2, "x"]])
println b
println "${b}"
println "" + b
println([b])
println b.toString() == "$b"
