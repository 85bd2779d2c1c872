// java.lang.ProcessBuilder
def pb = new ProcessBuilder("sh", "-c", "echo \$NAME in `pwd`; echo oops >&2")
pb.environment().put("NAME", "builder")
pb.directory(new File("/"))
pb.redirectErrorStream(true)
def p = pb.start()
println p.text
println p.waitFor()
println new ProcessBuilder(["echo", "a list"]).start().text
println new ProcessBuilder(["echo", "a list"] as String[]).start().text
println pb.command()
println pb.directory()
def f = File.createTempFile("oracle", ".txt")
def q = new ProcessBuilder("echo", "to a file").redirectOutput(f).start()
q.waitFor()
println f.text
def r = new ProcessBuilder("cat").redirectInput(f).start()
println r.text
f.delete()
println Runtime.getRuntime().exec("echo by runtime").text
println Runtime.runtime.exec(["echo", "an array"] as String[]).text
