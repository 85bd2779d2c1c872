import groovy.io.FileType
import static groovy.io.FileType.*
import groovy.io.FileVisitResult
import static groovy.io.FileVisitResult.SKIP_SIBLINGS

def dir = File.createTempFile("oracle", "dir")
dir.delete()
["a/x.txt", "a/y.log", "a/deep/z.txt", "a/deep/er/q.txt", "b/x.txt", "b/.hidden", "top.txt", "c.d/w.log"].each { def f = new File(dir, it); f.parentFile.mkdirs(); f.text = it }
new File(dir, "empty").mkdir()
def rel = { it.path - dir.path }
def seen
def note = { seen << rel(it) }
def go = { Map o, Closure c = note -> seen = []; try { dir.traverse(o, c) } catch (Exception e) { seen << e.class.simpleName << e.message }; println seen }
def sorted = { a, b -> a.name <=> b.name }
go(sort: sorted)
seen = []; dir.traverse { seen << rel(it) }; println seen.sort()
go(type: FILES, sort: sorted)
go(type: FileType.DIRECTORIES, sort: sorted)
go(type: ANY, sort: sorted, maxDepth: 0)
go(type: FILES, sort: sorted, maxDepth: 1)
go(type: FILES, sort: sorted, maxDepth: 0)
go(sort: { it.name.reverse() }, type: FILES)
go(nameFilter: ~/.*\.txt/, sort: sorted)
go(nameFilter: "x.txt", sort: sorted)
go(nameFilter: { it.startsWith("x") }, sort: sorted)
go(filter: { it.directory }, sort: sorted)
go(filter: ~/.*deep.*/, sort: sorted)
go(excludeNameFilter: ~/.*\.txt/, sort: sorted)
go(excludeNameFilter: ["a", "b"], sort: sorted)
go(excludeFilter: { it.file }, sort: sorted)
go(nameFilter: ~/.*txt/, excludeNameFilter: ~/x.*/, sort: sorted)
go(filter: { true }, nameFilter: ~/x/, sort: sorted)
go(excludeFilter: { true }, excludeNameFilter: ~/x/, sort: sorted)
go(preDir: { seen << "pre " + rel(it) }, postDir: { seen << "post " + rel(it) }, sort: sorted)
go(preDir: { seen << "pre " + rel(it) }, preRoot: true, postDir: { seen << "post " + rel(it) }, postRoot: true, visitRoot: true, sort: sorted)
go(type: FILES, visitRoot: true, sort: sorted)
go(type: DIRECTORIES, visitRoot: true, nameFilter: ~/a|.*dir/, sort: sorted)
go(preDir: { it.name == "a" ? FileVisitResult.SKIP_SUBTREE : null }, postDir: { seen << "post " + rel(it) }, sort: sorted)
go(preDir: { it.name == "b" ? FileVisitResult.TERMINATE : null }, sort: sorted)
go(preDir: { it.name == "b" ? SKIP_SIBLINGS : null }, sort: sorted)
go(postDir: { it.name == "deep" ? FileVisitResult.TERMINATE : null }, postRoot: true, sort: sorted)
go(postDir: { it.name == "deep" ? SKIP_SIBLINGS : null }, sort: sorted)
go(sort: sorted) { seen << rel(it); it.name == "a" ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE }
go(sort: sorted) { seen << rel(it); it.name == "x.txt" ? SKIP_SIBLINGS : null }
go(sort: sorted) { seen << rel(it); it.name == "x.txt" ? FileVisitResult.TERMINATE : null }
go(preRoot: true, preDir: { FileVisitResult.TERMINATE }, sort: sorted)
seen = []; dir.traverse(visit: { seen << rel(it) }, type: FILES, sort: sorted); println seen
seen = []; dir.traverse(type: FILES, sort: sorted, nameFilter: ~/.*log/) { seen << rel(it) }; println seen
def each = { String m, Object... a -> seen = []; dir."$m"(*a) { seen << rel(it) }; println m + " " + seen.sort() }
each("eachFile"); each("eachFile", FILES); each("eachFile", DIRECTORIES); each("eachFile", ANY)
each("eachDir"); each("eachFileRecurse"); each("eachFileRecurse", FILES); each("eachFileRecurse", FileType.DIRECTORIES)
each("eachDirRecurse"); each("eachFileMatch", ~/.*\.txt/); each("eachFileMatch", FILES, ~/.*t.*/); each("eachFileMatch", DIRECTORIES, ~/.*e.*/)
each("eachDirMatch", ~/a|c.*/); each("eachFileMatch", { it.size() == 1 }); each("eachFileMatch", "top.txt")
println FileType.values().toList() + FileVisitResult.values().toList().sort { it.name() }
println FILES.name() + FileType.ANY + (FileType.FILES == FILES)
println dir.directorySize()
println dir.list({ d, n -> n.size() == 1 } as FilenameFilter).toList().sort()
println dir.listFiles({ d, n -> n.size() == 1 } as FilenameFilter)*.name.sort()
println dir.listFiles({ f -> f.directory } as FileFilter)*.name.sort()
println dir.listFiles(({ it.file }) as FileFilter)*.name
println dir.list().class.simpleName + dir.listFiles().class.simpleName + dir.listFiles().size()
try { new File(dir, "no").eachFile { } } catch (FileNotFoundException e) { println e.message - dir.path }
try { new File(dir, "top.txt").eachFile { } } catch (IllegalArgumentException e) { println e.message - dir.path }
try { new File(dir, "no").traverse { } } catch (FileNotFoundException e) { println e.message - dir.path }
dir.eachFileRecurse(FILES) { if (it.name.endsWith(".log")) it.delete() }
each("eachFileRecurse", FILES)
dir.deleteDir()
["directorySize", "eachFile", "traverse"].each { m -> try { def f = new File("/no such folder"); m == "directorySize" ? f.directorySize() : f."$m" { } } catch (e) { println "$m ${e.class.name} ${e.message}" } }
