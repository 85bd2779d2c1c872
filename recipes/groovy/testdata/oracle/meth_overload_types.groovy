// methods chosen by the types of their arguments, spread arguments, defaults
def show(ArrayList l) { "list " + l.collect() { i -> "<${i}>" }.join(",") }
def show(Map m) { "map " + m.collect() { k, v -> "${k} => ${show(v)}" }.join(",") }
def show(x) { "other " + x.toString() }
println show([a: [1, 2], b: "c"])
println show([a: 1])[1..-1]
def static start(command, Map env=[:], String cwd) { start(command, env, new StringBuilder(cwd)) }
def static start(command, Map env=[:], StringBuilder cwd=null) { "$command $env $cwd" }
def args = ["ls", [A: 1]]
println start(*args)
println start(*(args << "/tmp"))
println start("ls")
def static join(Object... parts) {
    def elements = parts*.asType(String)
    elements.removeAll("")
    elements.join("/")
}
println join("a", "", "b", 1)
println join("only")
def static shell(java.util.ArrayList c) { "array " + c.join(" ") }
def static shell(java.lang.String c) { "string " + c }
println shell("x") + shell(["a", "b"])
