def text = """
# comment
db.host = 10.0.0.5
db.port=3306
name  =  the service

"""
def props = [:]
text.eachLine { line ->
    if (!line.trim() || line.startsWith("#")) return
    def (k, v) = line.split("=", 2)*.trim()
    props[k] = v
}
println props
println props.findAll { k, v -> k.startsWith("db.") }.collectEntries { k, v -> [k - "db.", v] }
println props["db.port"].toInteger() + 1
