def j = new groovy.json.JsonSlurper().parseText('{"a": 1, "b": [1, 2.5, "x", null, true], "c": {"d": "e"}}')
println j.a
println j.b
println j.c.d
println j.b[1].class.simpleName
println j.keySet()
println j.a.class.simpleName
