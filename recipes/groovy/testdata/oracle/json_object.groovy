class P { String name; int age }
println groovy.json.JsonOutput.toJson(new P(name: "a", age: 1))
