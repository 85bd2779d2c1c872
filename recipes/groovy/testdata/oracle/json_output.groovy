import groovy.json.JsonOutput
println JsonOutput.toJson([a: 1, b: [1, 2.5, null, true], c: [d: "x"]])
println JsonOutput.toJson("q\"uote\n")
println JsonOutput.toJson([1, "a"])
println JsonOutput.toJson(5)
println JsonOutput.toJson(null)
println JsonOutput.toJson("é")
println JsonOutput.toJson([(1): 2])
println JsonOutput.toJson("g${1}s")
