class Html {
    def out = []
    def methodMissing(String n, args) { out << "<$n>"; if (args && args[-1] instanceof Closure) { args[-1].delegate = this; args[-1].resolveStrategy = Closure.DELEGATE_FIRST; args[-1]() } else if (args) out << args[0].toString(); out << "</$n>" }
}
def h = new Html()
h.with { body { p "text"; b "bold" } }
println h.out.join("")
