// constructors that say def, with defaults and super(...)
class Bootstrap {
    def context = null
    Map config
    def packages = ["puppet"]
    def Bootstrap(options=[:]) {
        if ("context" in options) {
            context = options["context"]
        }
        if (context.is(null)) {
            context = "default"
        }
        config = [a: 1] + options.findAll() { it.key != "context" }
    }
    static make(options=[:]) { new Debian(options) }
    def install(options) { "$context $config $packages" }
}
class Debian extends Bootstrap {
    def Debian(options) { super(options) }
    def install(options) { "deb " + super.install(options) }
}
class Red extends Bootstrap {
    def packages = super.packages + ["rubygem"]
    def Red(options) { super(options) }
}
println Bootstrap.make().install()
println Bootstrap.make(context: "given", b: 2).install(null)
println new Red([:]).install([:])
class Failure extends Exception {
    String out
    int code
    def Failure(command, code, out = null) {
        this.out = out
        this.code = code
    }
    String toString() { "Failure $code $out".toString() }
}
try {
    throw new Failure("x", 3, "text")
} catch (Failure e) {
    println e.code + " " + e + " " + e.message
}
