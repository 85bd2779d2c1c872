// AntBuilder: exec: where output, errors and results go
def top = File.createTempFile("antexec", "d")
top.delete()
def d = top.path
def t = { name, level = 2, c ->
    println "--- $name"
    new File(d).deleteDir()
    new File(d).mkdirs()
    def ant = new AntBuilder()
    ant.project.buildListeners.each { it.messageOutputLevel = level }
    try { c(ant) } catch (e) { println e.message.replace(d, "D").readLines()[0] }
    def l = []
    new File(d).eachFile { l << it.name + ":" + it.text.replace("\n", "|") }
    println l.sort()
    ["o", "e", "r"].each { p -> if (ant.project.getProperty(p) != null) println p + "=" + ant.project.getProperty(p).inspect() }
}
def sc = "-c 'echo out; sleep 0.1; echo err >&2'"
t("output error") { it.exec(executable: "sh", output: "$d/o", error: "$d/e") { arg(line: sc) } }
t("error") { it.exec(executable: "sh", error: "$d/e") { arg(line: sc) } }
t("append") { ant -> [false, true].each { a -> ant.exec(executable: "sh", append: a, output: "$d/o", error: "$d/e") { arg(line: sc) } } }
t("overwrite") { ant -> 2.times { ant.exec(executable: "sh", output: "$d/o", error: "$d/e") { arg(line: sc) } } }
t("properties") { it.exec(executable: "sh", outputproperty: "o", errorproperty: "e", resultproperty: "r") { arg(line: sc) } }
t("errorproperty") { it.exec(executable: "sh", errorproperty: "e") { arg(line: sc) } }
t("output errorproperty") { it.exec(executable: "sh", errorproperty: "e", output: "$d/o") { arg(line: sc) } }
t("outputproperty error") { it.exec(executable: "sh", outputproperty: "o", error: "$d/e") { arg(line: sc) } }
t("all") { it.exec(executable: "sh", errorproperty: "e", error: "$d/e", outputproperty: "o", output: "$d/o") { arg(line: sc) } }
t("logerror") { it.exec(executable: "sh", outputproperty: "o", logerror: true) { arg(line: sc) } }
t("logerror output") { it.exec(executable: "sh", output: "$d/o", logerror: true) { arg(line: sc) } }
t("twice") { it.exec(executable: "echo", outputproperty: "o") { arg(value: "first") }; it.exec(executable: "echo", outputproperty: "o") { arg(value: "second") } }
t("lines") { it.exec(executable: "printf", outputproperty: "o") { arg(value: "\\n\\n a\\n\\nb \\r\\n\\n\\n") } }
t("blank lines are not told") { it.exec(executable: "printf") { arg(value: "a\\n\\nb\\n \\nc") } }
t("empty") { it.exec(executable: "true", outputproperty: "o", output: "$d/o", error: "$d/e") }
t("failonerror") { it.exec(executable: "sh", outputproperty: "o", resultproperty: "r", failonerror: true) { arg(line: "-c 'echo x; exit 3'") } }
t("input") { new File("$d/in").text = "a\nb"; it.exec(executable: "cat", input: "$d/in", outputproperty: "o") }
t("inputstring") { it.exec(executable: "cat", inputstring: 'x$y ${q} $$', outputproperty: "o") }
t("both inputs") { new File("$d/in").text = "a"; it.exec(executable: "cat", input: "$d/in", inputstring: "b") }
t("timeout", 0) { it.exec(executable: "sh", timeout: 400, outputproperty: "o", resultproperty: "r") { arg(line: "-c 'echo a; exec sleep 30'") } }
t("timeout fails") { it.exec(executable: "sleep", timeout: 200, failonerror: true, resultproperty: "r") { arg(value: 30) } }
t("no program") { it.exec(executable: "no-such-program", dir: d) }
t("no program is well", 0) { it.exec(executable: "no-such-program", failifexecutionfails: false, resultproperty: "r", outputproperty: "o") }
t("no folder") { it.exec(executable: "ls", dir: "$d/none") }
t("no executable") { it.exec() }
t("no folder of output") { it.exec(executable: "echo", output: "$d/none/o") }
t("env") { it.exec(executable: "sh", outputproperty: "o") { env(key: "A", value: "1"); env(key: "B", path: "/x:/y"); arg(line: "-c 'echo \$A \$B'") } }
t("newenvironment") { it.exec(executable: "/usr/bin/env", newenvironment: true, outputproperty: "o") { env(key: "A", value: "1") } }
t("args") { it.exec(executable: "printf", outputproperty: "o") { arg(value: "%s,"); arg(value: "a b"); arg(line: "'c d' \"e f\" g\\ h"); arg(path: "/a:/b;/c"); arg(file: "/x/../y"); arg(value: ""); arg(value: "last") } }
t("quotes") { it.exec(executable: "echo") { arg(line: "a 'b") } }
t("os") { ["Windows", "Linux, Windows", "linux"].each { o -> it.exec(executable: "echo", os: o) { arg(value: o) } }; ["windows", "Unix", "mac"].each { f -> it.exec(executable: "echo", osfamily: f) { arg(value: f) } } }
t("no family") { it.exec(executable: "echo", osfamily: "linux") }
t("resolveexecutable") { new File("$d/program.sh").text = "#!/bin/sh\necho resolved"; it.chmod(file: "$d/program.sh", perm: "+x"); it.exec(executable: "program.sh", resolveexecutable: true, dir: d) }
t("spawn", 0) { try { it.exec(executable: "echo", spawn: true, output: "$d/o") } catch (e) { println e.message - ": output" } }
t("no boolean", 0) { it.exec(executable: "false", failonerror: "maybe"); println "went on" }
t("no attribute") { it.exec(exectable: "x") }
t("no element") { it.exec(executable: "x") { foo(a: 1) } }
t("no attribute of an element") { it.exec(executable: "x") { arg(valu: 1) } }
t("apply") { new File("$d/a").text = "x\n"; new File("$d/a~").text = "y\n"; it.apply(executable: "cat", outputproperty: "o") { fileset(dir: d) } }
t("order") { ant -> ant.sequential { echo("in"); exec(executable: "echo", outputproperty: "o") { arg(value: "late") }; println ant.project.getProperty("o"); echo('${o}') } }
new File(d).deleteDir()
