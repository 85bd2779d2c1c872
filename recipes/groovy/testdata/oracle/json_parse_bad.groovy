new groovy.json.JsonSlurper().parseText('{"a": }')
