import groovy.json.*
def data = [run_list: ["recipe[mysql::server]"], mysql: [bind_address: "0.0.0.0", tunable: [query_cache_limit: "2M"]]]
def text = JsonOutput.toJson(data)
println text
println new JsonSlurper().parseText(text) == data
