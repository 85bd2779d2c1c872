// master and slave hand over attributes
class Attributes {
    private store = [:]
    def getProperty(String n) { n == "store" ? this.@store : this.@store[n] }
    void setProperty(String n, v) { if (n == "store") this.@store = v else this.@store[n] = v }
}
def attrs = new Attributes()
def register(a, id, host) {
    if (!a.masterId) { a.masterId = id; a.masterHost = host; return "master" }
    a.slaves = (a.slaves ?: []) + [id]
    "slave of ${a.masterHost}"
}
println register(attrs, 1, "10.0.0.1")
println register(attrs, 2, "10.0.0.2")
println register(attrs, 3, "10.0.0.3")
println attrs.slaves
