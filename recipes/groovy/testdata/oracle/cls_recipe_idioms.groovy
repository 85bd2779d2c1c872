// what bootstrap classes of recipes do with their own methods and properties
class Base {
    Map config
    protected String path
    def Base(options=[:]) {
        def props = new ConfigSlurper().parse('chef { version = "11.8"; flavor = "pkg"; nested { a = 1 } }')
        config = props.chef.flatten() + options.findAll() { it.key != "context" }
    }
    def installRuby() {
        if (this.class.methods.find { it.name == "install_pkgs" }) {
            install_pkgs(rubyPkgs)
        } else {
            println "rvm"
        }
    }
    def install() { this.invokeMethod("${config.flavor}Install", null) }
    def where() { binPath }
    protected def getChefPath() { "/opt/" + where() }
    def both() { chefPath + getChefPath() }
    def run(ArrayList l) { run([run_list: l]) }
    def run(HashMap m=[:]) { println "run $m" }
}
class Deb extends Base {
    def Deb(options) { super(options) }
    def rubyPkgs = ["ruby", "ruby-dev"]
    def binPath = "usr/bin"
    def install_pkgs(List pkgs) { println "apt ${pkgs.join(" ")}" }
    def pkgInstall() { println "pkg ${config.version.tokenize('.')[0].toInteger() < 12} ${config."nested.a"}" }
}
class Bare extends Base {
    def Bare(options) { super(options) }
}
def d = new Deb([:])
d.installRuby()
d.install()
println d.both()
d.run(["a", "b"])
d.run()
d.run([x: 1])
new Bare(flavor: "gem").installRuby()
try {
    new Bare([flavor: "gem"]).install()
} catch (MissingMethodException e) {
    println e.method
}
def sh(Map opts, ArrayList command) { "$opts $command" }
println sh(["a", "b"], cwd: "/x")
assert(!d.is(null))
println d.config
println "env 1\nEXEC DIR: /usr/bin\n".split("\n").find { it =~ "EXEC DIR" }.split(":")[1].stripIndent()
