// AntBuilder: waitfor and tempfile
def ant = new AntBuilder()
def p = { x -> println "$x=" + ant.project.getProperty(x) }
ant.waitfor(maxwait: 200, checkevery: 50, timeoutproperty: "late") { available(file: "/no/such/file") }
p("late")
ant.waitfor(maxwait: 1, maxwaitunit: "minute", timeoutproperty: "never") { and { available(file: "/"); not { isset(property: "none") } } }
p("never")
ant.waitfor(maxwait: 1, timeoutproperty: "socket") { socket(server: "127.0.0.1", port: 1) }
p("socket")
try { ant.waitfor(maxwait: 1) } catch (e) { println e.message }
ant.tempfile(property: "f", prefix: "pre", suffix: ".x", createfile: true)
def f = new File(ant.project.getProperty("f"))
println "${f.name ==~ /pre.*\.x/} ${f.exists()} ${f.delete()}"
ant.tempfile(property: "g", prefix: "pre", destdir: "/tmp")
println new File(ant.project.getProperty("g")).exists()
