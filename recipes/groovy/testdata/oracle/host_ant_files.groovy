// AntBuilder: copy, move, touch, chmod, symlink and archives
def top = File.createTempFile("antfiles", "d")
top.delete()
def d = top.path
def ant
def tree = { def r = new File(d); def l = []; r.eachFileRecurse { l << it.path[r.path.size() + 1..-1] + (it.directory ? "/" : it.name =~ /\.(zip|tar|gz)$/ ? "" : ":" + it.text) }; println l.sort() }
def f = { n, s -> new File("$d/$n").parentFile.mkdirs(); new File("$d/$n").text = s }
def old = { n -> ant.touch(file: "$d/$n", millis: 1000000000000) }
def age = { n -> println new File("$d/$n").lastModified() == 1000000000000 }
def perms = { println "find $d -mindepth 1 -printf %P:%m,".execute().text.split(",").sort() }
def t = { name, c ->
    println "--- $name"
    new File(d).deleteDir()
    new File(d).mkdirs()
    ant = new AntBuilder()
    ant.project.buildListeners.each { it.messageOutputLevel = 0 }
    try { c() } catch (e) { println e.message.replace(d, "D").readLines()[0]; new File("$d/fail.zip").delete() }
    tree()
}
t("permissions are not copied") { f("a", "x"); ant.chmod(file: "$d/a", perm: "755"); ant.copy(file: "$d/a", tofile: "$d/b"); perms() }
t("an older file") { f("a", "x"); f("b", "y"); old("a"); ant.copy(file: "$d/a", tofile: "$d/b"); ant.copy(file: "$d/a", tofile: "$d/c"); age("c"); ant.copy(file: "$d/a", tofile: "$d/e", preservelastmodified: true); age("e"); ant.copy(file: "$d/a", tofile: "$d/b", overwrite: true) }
t("as old") { f("a", "x"); f("b", "y"); old("a"); old("b"); ant.copy(file: "$d/a", tofile: "$d/b") }
t("half a second newer") { f("a", "x"); f("b", "y"); old("b"); ant.touch(file: "$d/a", millis: 1000000000500); ant.copy(file: "$d/a", tofile: "$d/b"); ant.copy(file: "$d/a", tofile: "$d/b", granularity: 0) }
t("no source") { ant.copy(todir: "$d/b") }
t("no target") { f("a", "x"); ant.copy(file: "$d/a") }
t("two targets") { f("a", "x"); ant.copy(file: "$d/a", tofile: "$d/b", todir: "$d/c") }
t("a folder as file") { f("s/a", "x"); ant.copy(file: "$d/s", todir: "$d/c") }
t("missing") { ant.copy(file: "$d/s", todir: "$d/c", failonerror: false); ant.copy(file: "$d/s", todir: "$d/c") }
t("one of a set to a file") { f("s/a", "x"); ant.copy(tofile: "$d/c") { fileset(dir: "$d/s") } }
t("two of a set to a file") { f("s/a", "x"); f("s/b", "x"); ant.copy(tofile: "$d/c") { fileset(dir: "$d/s") } }
t("flatten") { f("s/a/b", "x"); f("s/c/e/f", "x"); ant.copy(todir: "$d/c", flatten: true, includeemptydirs: false) { fileset(dir: "$d/s") } }
t("move a set") { f("s/a", "x"); f("s/b/c", "x"); new File("$d/s/e/f").mkdirs(); ant.move(todir: "$d/o") { fileset(dir: "$d/s") } }
t("move some") { f("s/a", "x"); f("s/b/c", "x"); ant.move(todir: "$d/o") { fileset(dir: "$d/s", includes: "b/**") } }
t("move onto a folder") { f("s/a", "x"); f("t/a", "y"); f("t/b", "z"); ant.move(file: "$d/s", tofile: "$d/t") }
t("move a folder into one") { f("s/a", "x"); ant.mkdir(dir: "$d/t"); ant.move(file: "$d/s", todir: "$d/t") }
t("move a file") { f("a", "x"); f("b", "y"); old("a"); ant.move(file: "$d/a", tofile: "$d/b"); age("b"); ant.move(file: "$d/b", todir: "$d/o/p") }
t("move no older file") { f("a", "x"); f("b", "y"); old("a"); ant.move(file: "$d/a", tofile: "$d/b", overwrite: false) }
t("move and filter") { f("a", "@x@"); ant.move(file: "$d/a", tofile: "$d/b") { filterset { filter(token: "x", value: 1) } } }
t("move missing") { ant.move(file: "$d/a", tofile: "$d/b") }
t("mkdir") { ant.mkdir(dir: "$d/a/b"); ant.mkdir(dir: "$d/a/b"); f("x", ""); ant.mkdir(dir: "$d/x") }
t("touch") { ant.touch(file: "$d/a"); ant.touch(file: "$d/n/b", mkdirs: true); ant.touch(file: "$d/c", datetime: "01/02/2003 4:05 PM"); println new Date(new File("$d/c").lastModified()).format("yyyy-MM-dd HH:mm"); ant.touch { fileset(file: "$d/c") }; println new File("$d/c").lastModified() > 1500000000000; ant.touch(file: "$d/no/x") }
t("symlink") { ant.symlink(link: "$d/l", resource: "a"); ant.symlink(link: "$d/l", resource: "b"); println "readlink $d/l".execute().text; ant.symlink(link: "$d/l", resource: "b", overwrite: true); println "readlink $d/l".execute().text; ant.symlink(action: "delete", link: "$d/l") }
["u+x", "a-r", "u=rw,go=r", "ugo+rwx", "0640", "4755", "g+s", "u+X", "g=u", "o="].each { p -> t("chmod $p") { f("a", "x"); ant.chmod(file: "$d/a", perm: "640"); ant.chmod(file: "$d/a", perm: p); perms() } }
t("chmod a folder") { f("s/a", "x"); ant.chmod(dir: "$d/s", perm: "700"); perms() }
t("chmod in a folder") { f("s/a", "x"); f("s/a~", "x"); f("s/b/c", "x"); ant.chmod(dir: "$d/s", perm: "700", includes: "**/*"); perms() }
t("chmod folders") { f("s/a", "x"); f("s/b/c", "x"); ant.chmod(dir: "$d/s", perm: "700", type: "dir", includes: "**"); perms() }
t("chmod sets") { f("s/a", "x"); f("s/b/c", "x"); ant.chmod(perm: "700") { fileset(dir: "$d/s"); fileset(dir: "$d/s/b") }; ant.chmod(perm: "711") { dirset(dir: "$d/s") }; perms() }
t("chmod file: of a folder") { f("s/a", "x"); ant.chmod(file: "$d/s", perm: "700"); ant.chmod(file: "$d/none", perm: "700"); perms() }
t("chmod nothing") { ant.chmod(perm: "700") }
def entries = { n -> def z = new java.util.zip.ZipFile("$d/$n"); println z.entries().collect { it.toString() }.sort(); z.close() }
t("zip") { f("s/a", "x"); f("s/a~", "x"); new File("$d/s/e").mkdirs(); ant.zip(destfile: "$d/z.zip", basedir: "$d/s"); entries("z.zip"); ant.zip(destfile: "$d/y.zip", basedir: "$d/s", filesonly: true, defaultexcludes: "no"); entries("y.zip") }
t("prefix") { f("s/a", "x"); f("s/b/c", "y"); ant.zip(destfile: "$d/z.zip") { zipfileset(dir: "$d/s", prefix: "p/q", includes: "b/*"); zipfileset(file: "$d/s/a", fullpath: "x/y.txt") }; ant.unzip(src: "$d/z.zip", dest: "$d/o") }
t("fullpath of two") { f("s/a", "x"); f("s/b", "x"); ant.zip(destfile: "$d/fail.zip") { zipfileset(dir: "$d/s", fullpath: "x", includes: "a,b") } }
t("empty") { ["skip", "create", "fail"].each { w -> ant.zip(destfile: "$d/${w}.zip", basedir: d, whenempty: w, includes: "q") } }
t("duplicate") { f("s/a", "x"); f("t/a", "y"); ["preserve", "fail"].each { w -> ant.zip(destfile: "$d/${w}.zip", duplicate: w) { fileset(dir: "$d/s"); fileset(dir: "$d/t") }; entries("${w}.zip") } }
t("zip nothing") { ant.zip(destfile: "$d/z.zip") }
t("unzip") { f("s/a", "x"); old("s/a"); ant.zip(destfile: "$d/z.zip", basedir: "$d/s"); ant.unzip(src: "$d/z.zip", dest: "$d/o"); age("o/a"); f("o/a", "new"); ant.unzip(src: "$d/z.zip", dest: "$d/o", overwrite: false); tree(); ant.touch(file: "$d/o/a", millis: 900000000000); ant.unzip(src: "$d/z.zip", dest: "$d/o", overwrite: false) }
t("unzip some") { f("s/a", "x"); f("s/b/c", "x"); ant.zip(destfile: "$d/z.zip", basedir: "$d/s"); ant.unzip(src: "$d/z.zip", dest: "$d/o") { patternset { include(name: "b/**") } }; ant.unzip(dest: "$d/p") { fileset(dir: d, includes: "*.zip") } }
t("unzip missing") { ant.unzip(src: "$d/z.zip", dest: "$d/o") }
t("unzip nowhere") { ant.unzip(src: "$d/z.zip") }
t("tar") {
    f("s/a", "x"); f("s/b/c", "y"); ant.chmod(file: "$d/s/a", perm: "755"); old("s/a")
    ant.tar(destfile: "$d/z.tar") { fileset(dir: "$d/s"); tarfileset(dir: "$d/s", prefix: "pre", filemode: "700", dirmode: "711"); tarfileset(file: "$d/s/a", fullpath: "n/m") }
    println "tar tvf $d/z.tar".execute().text.readLines().collect { it.split(/ +/)[0] + " " + it.split(/ +/)[-1] }.sort()
    ant.untar(src: "$d/z.tar", dest: "$d/o")
    age("o/a"); perms()
}
t("untar a link") { f("s/a", "x"); ant.symlink(link: "$d/s/l", resource: "a"); println "tar -C $d/s -cf $d/z.tar .".execute().waitFor(); ant.untar(src: "$d/z.tar", dest: "$d/o"); ant.delete(file: "$d/s/l") }
t("tgz") { f("s/a", "x"); ant.tar(destfile: "$d/z.tar.gz", basedir: "$d/s", compression: "gzip"); ant.untar(src: "$d/z.tar.gz", dest: "$d/o", compression: "gzip") }
t("gunzip") { f("a", "x"); ant.gzip(src: "$d/a", destfile: "$d/a.gz"); f("a", "new"); ant.touch(file: "$d/a.gz", millis: 1000000000000); ant.gunzip(src: "$d/a.gz"); ant.gunzip(src: "$d/a.gz", dest: "$d/b") }
t("get") { f("a", "x"); old("a"); ant.mkdir(dir: "$d/o"); ant.get(src: "file:$d/a", dest: "$d/o"); ant.get(src: "file:$d/a", dest: "$d/c", usetimestamp: true); age("o/a"); age("c"); ant.get(src: "file:$d/none", dest: "$d/e", ignoreerrors: true, retries: 1) }
new File(d).deleteDir()
