def report = new groovy.json.JsonSlurper().parseText('{"run":{"status":"ok","resources":[{"name":"package[mysql]","updated":true,"ms":1200},{"name":"service[mysql]","updated":false,"ms":30}]}}')
def rs = report.run.resources
println "${rs.count { it.updated }} of ${rs.size()} updated in ${rs*.ms.sum() / 1000} s"
rs.each { r -> println "${r.updated ? '*' : ' '} ${r.name.padRight(20)} ${r.ms.toString().padLeft(6)}" }
println rs.collect { (it.name =~ /(\w+)\[(\w+)\]/)[0][1..2] }
