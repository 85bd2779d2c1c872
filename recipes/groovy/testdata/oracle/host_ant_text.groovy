// AntBuilder: properties, replace, replaceregexp, filters, echo, fail, condition
def top = File.createTempFile("anttext", "d")
top.delete()
def d = top.path
def ant
def t = { name, c ->
    println "--- $name"
    new File(d).deleteDir()
    new File(d).mkdirs()
    ant = new AntBuilder()
    ant.project.buildListeners.each { it.messageOutputLevel = 0 }
    try { c() } catch (e) { println e.message.replace(d, "D") }
    def l = []
    new File(d).eachFile { if (it.name != "p") l << it.name + ":" + it.text.replace("\n", "|").replace("\r", "^") }
    println l.sort()
}
def p = { x -> println "$x=" + ant.project.getProperty(x)?.inspect() }
def f = { n, s -> new File("$d/$n").text = s }
t("properties of a file") {
    f("p", 'a=1\\n2\nb : x\\ty  \n c\\ d = e\\\n   f\n#x\n!y\nuni=\\u00e9\\u0041\nempty\nempty2=\npath=c:\\\\dir\ncolon\\:k=v\nref=${a}z\ndbl=1\ndbl=2\nsp key val\nq=\\q\n')
    ant.property(file: "$d/p")
    ["a", "b", "c d", "uni", "empty", "empty2", "path", "colon:k", "ref", "dbl", "sp", "q"].each(p)
}
t("prefix") { f("p", 'a=1\nb=${a}\nc=${x.a}\n'); ant.property(file: "$d/p", prefix: "x"); ["a", "x.a", "x.b", "x.c"].each(p) }
t("first stays") { ant.property(name: "a", value: "first"); f("p", 'a=1\nb=${a}\nc=${nope}\nd=${e}\ne=${b}'); ant.property(file: "$d/p"); ["a", "b", "c", "d", "e"].each(p) }
t("circular") { f("p", 'a=${b}\nb=${a}'); ant.property(file: "$d/p") }
t("no file") { ant.property(file: "$d/none"); ant.property(name: "x", location: "/a/../b"); p("x") }
t("no value") { ant.property(name: "x") }
t("no name") { ant.property(value: "x") }
t("environment") { ant.property(environment: "env"); println ant.project.getProperty("env.PATH") == System.getenv("PATH") }
t("references") { ant.property(name: "x", value: "1"); ant.property(name: "y", value: '${x}-${z}-$x-$${x} $$'); p("y"); println ant.project.replaceProperties('${x}') }
["", "g", "i", "gi", "m", "gm", "s", "q"].each { flags ->
    t("replaceregexp $flags") { f("a", "aa Ab\nab aa\n"); ant.replaceregexp(file: "$d/a", match: "a.?b", replace: "X", flags: flags) }
    t("byline $flags") { f("a", "aa aa Ab\r\nab aa\naa"); ant.replaceregexp(file: "$d/a", match: "^?a", replace: "X", flags: flags, byline: true) }
}
t("byline anchors") { f("a", "aa\nab\r\nac\n\n"); ant.replaceregexp(file: "$d/a", match: '^a(.*)$', replace: '<\\1>', byline: true) }
t("lines with m") { f("a", "aa\nab\n"); ant.replaceregexp(file: "$d/a", match: '^a(.*)$', replace: '<\\1>', flags: "gm") }
t("dollar") { f("a", "cost 5\n"); ant.replaceregexp(file: "$d/a", match: '(\\d)', replace: '$\\1 $1 \\0 \\n') }
t("group 10") { f("a", "x5\n"); ant.replaceregexp(file: "$d/a", match: '(\\d)', replace: '\\10') }
t("nested") { f("a", "x5\n"); ant.replaceregexp(file: "$d/a") { regexp(pattern: "x"); substitution(expression: "y") } }
t("no match") { f("a", "x5\n"); ant.replaceregexp(file: "$d/a", match: "7", replace: "x") }
t("missing") { ant.replaceregexp(file: "$d/a", match: "7", replace: "x"); println "went on" }
t("nothing to match") { f("a", "x5\n"); ant.replaceregexp(file: "$d/a", replace: "x") }
t("nothing to replace") { f("a", "x5\n"); ant.replaceregexp(file: "$d/a", match: "5") }
t("replaced by nothing") { f("a", "x5\n"); ant.replaceregexp(file: "$d/a", match: "5", replace: "") }
t("replace") { f("a", "x5x\n"); ant.replace(file: "$d/a", token: "x", value: "yx"); f("b", "x5x"); ant.replace(file: "$d/b", token: "x") }
t("replace missing") { ant.replace(file: "$d/a", token: "x", value: "y") }
t("no token") { f("a", "x"); ant.replace(file: "$d/a", value: "y") }
t("one filter after the other") { f("a", "xyz\n"); ant.replace(file: "$d/a", token: "z", value: "x") { replacefilter(token: "x", value: "y"); replacefilter(token: "y", value: "w") } }
t("a filter's value") { f("a", "xyz\n"); ant.replace(file: "$d/a", value: "D") { replacefilter(token: "x"); replacefilter(token: "y", value: "") } }
t("nested token") { f("a", "xyz\n"); ant.replace(file: "$d/a") { replacetoken("x"); replacevalue("q") } }
t("failonnoreplacements") { f("a", "xx"); ant.replace(file: "$d/a", token: "q", value: "y", failonnoreplacements: true) }
t("filterset") {
    f("a", '@x@ @y@ %z% @@ @x@@x@ @r@ @u@')
    ant.copy(file: "$d/a", tofile: "$d/b") { filterset { filter(token: "x", value: "1"); filter(token: "y", value: "@x@"); filter(token: "r", value: "@r@") } }
    ant.copy(file: "$d/a", tofile: "$d/c") { filterset(begintoken: "%", endtoken: "%") { filter(token: "z", value: "1") }; filterset { filter(token: "x", value: "2") } }
    f("p", "x=5")
    ant.copy(file: "$d/a", tofile: "$d/e") { filterset(filtersfile: "$d/p") }
}
t("loadfile") { f("a", 'x ${y} \n'); f("b", ""); ["a", "b", "a"].each { n -> ant.loadfile(srcfile: "$d/$n", property: n) }; f("a", "new"); ant.loadfile(srcfile: "$d/a", property: "a"); p("a"); p("b"); ant.loadfile(srcfile: "$d/none", property: "n", failonerror: false); p("n"); ant.loadfile(srcfile: "$d/none", property: "n") }
t("available") {
    f("a", "")
    ant.available(file: "$d/a", property: "p1"); ant.available(file: "$d/a", property: "p2", type: "dir"); ant.available(file: d, property: "p3", type: "dir", value: "v")
    ant.available(file: d, property: "p4", type: "file"); ant.available(file: "a", filepath: d, property: "p5"); ant.available(file: "$d/none", property: "p6")
    (1..6).each { p("p$it") }
}
t("fail") { ant.fail(message: "not set", if: "x"); ant.property(name: "x", value: "false"); ant.fail(message: "set", if: "x") }
t("fail unless") { ant.fail(unless: "x") }
t("fail without a message") { ant.fail() }
t("fail on a condition") { ant.fail(message: "c") { condition { isset(property: "none") } }; ant.fail(message: "d") { condition { not { isset(property: "none") } } } }
t("condition") {
    ant.condition(property: "p1") { isset(property: "none") }
    ant.condition(property: "p2", value: "v", else: "e") { and { available(file: d); not { istrue(value: "no") } } }
    ant.condition(property: "p3", else: "e") { or { isset(property: "none"); contains(string: "abc", substring: "B", casesensitive: false) } }
    ant.condition(property: "p4", else: "e") { os(family: "unix") }
    ant.condition(property: "p5", else: "e") { xor { istrue(value: "on"); istrue(value: "yes") } }
    ant.condition(property: "p6", else: "e") { and { istrue(value: "on"); isfalse(value: "yes") } }
    (1..6).each { p("p$it") }
}
t("condition of nothing") { ant.condition(property: "p1") }
t("echo to files") { ant.echo(message: "f", file: "$d/f"); ant.echo(message: "g", file: "$d/f", append: true); ant.echo(file: "$d/empty") }
t("concat") { f("a", "x"); f("b", "y\n"); ant.concat(destfile: "$d/c") { fileset(dir: d, includes: "a,b") }; ant.concat(destfile: "$d/c", append: true) { fileset(file: "$d/b") }; ant.concat(destfile: "$d/e", fixlastline: true) { fileset(file: "$d/a") }; ant.concat(destfile: "$d/g", "text"); ant.concat(destfile: "$d/h") { fileset(dir: d, includes: "*.none") } }
t("fixcrlf") { f("a", "x\r\ny\rz"); f("b", "x\r\ny"); f("c", "x\n\u001a"); ant.fixcrlf(file: "$d/a", eol: "lf"); ant.fixcrlf(file: "$d/b", eol: "crlf", fixlast: false); ant.fixcrlf(file: "$d/c", eol: "unix") }
t("checksum") {
    f("a", "x")
    ant.checksum(file: "$d/a", property: "m"); ant.checksum(file: "$d/a", algorithm: "SHA-256", property: "s")
    ant.checksum(file: "$d/a"); ant.checksum(file: "$d/a", algorithm: "SHA", fileext: ".s")
    ant.checksum(file: "$d/a", property: "9dd4e461268c8034f5c8564e155c67a6", verifyproperty: "v"); ant.checksum(file: "$d/a", property: "9dd", verifyproperty: "w"); ant.checksum(file: "$d/a", verifyproperty: "u")
    ["m", "s", "v", "w", "u"].each(p)
}
t("sleep") { ant.sleep(milliseconds: 1); ant.sleep(seconds: -1) }
new File(d).deleteDir()
