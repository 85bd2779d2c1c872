// AntBuilder: what file sets take: default excludes, patterns, links, folders
def top = File.createTempFile("antsets", "d")
top.delete()
def d = top.path
def tree(r) { def l = []; r.eachFileRecurse { l << it.path[r.path.size() + 1..-1] + (it.directory ? "/" : ":" + it.text) }; println l.sort() }
def t = { name, c ->
    println "--- $name"
    new File(d).deleteDir()
    ["s/sub/CVS", "s/.git/x", "s/e"].each { new File("$d/$it").mkdirs() }
    ["s/a", "s/a~", "s/.gitignore", "s/.git/x/y", "s/sub/CVS/r", "s/sub/b", "s/#x#", "s/.#y", "s/%z%", "s/._q", "s/.DS_Store", "s/.hgtags", "s/.gitx", "s/sub/.svn"].each { new File("$d/$it").text = it }
    def ant = new AntBuilder()
    ant.project.buildListeners.each { it.messageOutputLevel = 0 }
    try { c(ant) } catch (e) { println e.message.replace(d, "D") }
}
t("copy") { it.copy(todir: "$d/o") { fileset(dir: "$d/s") }; tree(new File("$d/o")) }
t("copy all") { it.copy(todir: "$d/o") { fileset(dir: "$d/s", defaultexcludes: "no") }; tree(new File("$d/o")) }
t("copy no folders") { it.copy(todir: "$d/o", includeemptydirs: false) { fileset(dir: "$d/s") }; tree(new File("$d/o")) }
t("copy some") { it.copy(todir: "$d/o") { fileset(dir: "$d/s", includes: "**/.git*, a*,sub/**") }; tree(new File("$d/o")) }
t("patterns") { ant ->
    [["**/b", ""], ["sub/", ""], ["sub", ""], ["**/sub/**", ""], ["s**b/*", ""], ["?", ""], ["**", "sub"], ["**", "sub/**"], ["A", ""]].each { p ->
        ant.delete(dir: "$d/o")
        ant.copy(todir: "$d/o") { fileset(dir: "$d/s", includes: p[0], excludes: p[1]) }
        print "$p "
        if (new File("$d/o").exists()) tree(new File("$d/o")) else println "nothing"
    }
    ant.copy(todir: "$d/q") { fileset(dir: "$d/s", casesensitive: false, includes: "A") }
    tree(new File("$d/q"))
    ant.copy(todir: "$d/p") { fileset(dir: "$d/s") { patternset { include(name: "*"); exclude(name: "sub") }; exclude(name: "a", if: "no.such"); exclude(name: "e", unless: "no.such") } }
    tree(new File("$d/p"))
}
t("links") { ant ->
    new File("$d/t").mkdirs()
    new File("$d/t/u").text = "u"
    ant.symlink(link: "$d/e1", resource: "nowhere")
    ant.symlink(link: "$d/s/e/l", resource: "$d/t")
    ant.copy(todir: "$d/o") { fileset(dir: "$d/s/e") }
    tree(new File("$d/o"))
    ant.copy(todir: "$d/p") { fileset(dir: "$d/s/e", followsymlinks: false) }
    println new File("$d/p").list().toList()
}
t("dirset") { it.copy(todir: "$d/o") { dirset(dir: "$d/s") }; tree(new File("$d/o")) }
t("one file") { it.copy(todir: "$d/o") { fileset(file: "$d/s/a"); fileset(file: "$d/s/a~"); fileset(file: "$d/s/none") }; tree(new File("$d/o")) }
t("no folder") { it.copy(todir: "$d/o") { fileset(dir: "$d/none") } }
t("no folder is well") { it.copy(todir: "$d/o") { fileset(dir: "$d/none", erroronmissingdir: false) }; println "ok" }
t("both") { it.copy(todir: "$d/o") { fileset(dir: d, file: "$d/s/a") } }
t("neither") { it.copy(todir: "$d/o") { fileset(includes: "a") } }
t("move") { it.move(todir: "$d/o") { fileset(dir: "$d/s") }; tree(new File(d)) }
t("delete") { it.delete { fileset(dir: "$d/s") }; tree(new File(d)) }
t("delete empty") { it.delete(includeemptydirs: true) { fileset(dir: "$d/s") }; tree(new File(d)) }
t("delete all") { it.delete(includeemptydirs: true) { fileset(dir: "$d/s", defaultexcludes: false) }; tree(new File(d)) }
t("delete dir") { it.delete(dir: "$d/s"); tree(new File(d)) }
t("delete in dir") { it.delete(dir: "$d/s", includes: "**/*", includeemptydirs: true); tree(new File(d)) }
t("delete wrong kind") { it.delete(dir: "$d/s/a"); println new File("$d/s/a").exists() }
t("delete none") { it.delete(dir: "$d/none"); it.delete(file: "$d/none"); it.delete(quiet: true) { fileset(dir: "$d/none") }; it.delete { fileset(dir: "$d/none") } }
t("delete nothing") { it.delete() }
t("replace") { it.replace(dir: "$d/s", token: "s/", value: "T"); it.replaceregexp(match: "^T", replace: "U") { fileset(dir: "$d/s") }; tree(new File("$d/s")) }
t("concat") { it.concat(destfile: "$d/o") { fileset(dir: "$d/s") }; println new File("$d/o").text.size() }
t("scanner") {
    def files = it.fileScanner { fileset(dir: "$d/s") { include(name: "**/*") } }
    println files.collect { f -> f.path - "$d/" }.sort()
    println files.hasFiles()
    println files.directories().collect { f -> f.path - "$d/" }.sort()
    for (f in files) { if (f.name == "a") println f.text }
    println it.fileScanner { fileset(dir: "$d/s", includes: "*.none") }.collect { f -> f }
}
t("a tarfileset's mode") { new File("$d/m").mkdirs(); new File("$d/m/a").text = "x"; it.tar(destfile: "$d/a.tar") { tarfileset(dir: "$d/m", prefix: "p", mode: "755") }; println "tar tvf $d/a.tar".execute().text.readLines()*.substring(0, 10) }
new File(d).deleteDir()
