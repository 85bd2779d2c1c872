def p = { new groovy.json.JsonSlurper().parseText(it) }
println p('[1, 12345678901, 1.5, 1e3, -2]')
println p('[12345678901]')[0].class.simpleName
println p('{"s": "a\\nb\\u0041\\"q"}').s
println p('[]')
println p('{}')
