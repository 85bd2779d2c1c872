import groovy.json.*
class ChefBootstrap {
    def runList = []
    def attributes = [:]
    static ChefBootstrap getBootstrap(Map options = [:]) { new ChefBootstrap(options) }
    ChefBootstrap(Map options) { runList = options.runList ?: []; attributes = options.attributes ?: [:] }
    def json() { JsonOutput.toJson([run_list: runList] + attributes) }
}
def runParams = ["mysql": ["bind_address": "0.0.0.0", "tunable": ["query_cache_limit": "2M"]], "run_list": ["recipe[mysql::server]"]]
def b = ChefBootstrap.getBootstrap(runList: runParams.run_list, attributes: runParams.findAll { it.key != "run_list" })
println b.json()
println JsonOutput.prettyPrint(b.json())
println new JsonSlurper().parseText(b.json()).mysql.tunable.query_cache_limit
