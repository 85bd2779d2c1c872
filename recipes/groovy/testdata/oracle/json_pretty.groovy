import groovy.json.JsonOutput
println JsonOutput.prettyPrint('{"a":1,"b":[1,2],"c":{"d":"e, f: g"}}')
println JsonOutput.prettyPrint(JsonOutput.toJson([x: [y: [1, [z: 2]]]]))
