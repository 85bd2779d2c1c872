import java.nio.file.*
import java.nio.charset.StandardCharsets
def dir = Files.createTempDirectory("oracle")
def p = dir.resolve("a.txt")
println([Files.exists(p), Files.notExists(p), Files.isDirectory(dir), p.fileName.toString(), p.parent == dir, p.toFile().name, dir.toFile().directory])
println Files.write(p, "hello\n".bytes) == p
println new String(Files.readAllBytes(p)) + Files.size(p) + Files.readAllLines(p) + Files.readAllLines(p, StandardCharsets.UTF_8)
Files.write(p, ["l1", "l2"], StandardCharsets.UTF_8, StandardOpenOption.CREATE, StandardOpenOption.APPEND)
println p.text + p.toFile().text.size()
println Files.isRegularFile(p)
def q = Paths.get(dir.toString(), "sub", "b.txt")
println Files.createDirectories(q.parent) == q.parent
Files.copy(p, q); println q.text == p.text
try { Files.copy(p, q) } catch (FileAlreadyExistsException e) { println "exists " + (e.message - dir.toString()) }
Files.copy(p, q, StandardCopyOption.REPLACE_EXISTING)
println Files.copy(new ByteArrayInputStream([1, 2] as byte[]), dir.resolve("c"))
Files.move(q, dir.resolve("d")); println([Files.exists(q), Files.exists(dir.resolve("d"))])
Files.createSymbolicLink(dir.resolve("link"), p); println Files.isSymbolicLink(dir.resolve("link"))
println Files.readSymbolicLink(dir.resolve("link")) == p
try { Files.delete(dir.resolve("none")) } catch (NoSuchFileException e) { println "none " + (e.message - dir.toString()) }
try { Files.readAllBytes(dir.resolve("none")) } catch (NoSuchFileException e) { println "none " + (e instanceof IOException) }
try { Files.createDirectory(dir) } catch (FileAlreadyExistsException e) { println "exists" }
try { Files.delete(dir) } catch (DirectoryNotEmptyException e) { println "not empty" }
try { Files.write(dir.resolve("x/y"), "z".bytes) } catch (NoSuchFileException e) { println "none " + (e.message - dir.toString()) }
println([Files.deleteIfExists(dir.resolve("d")), Files.deleteIfExists(dir.resolve("d"))])
println Files.createFile(dir.resolve("e")).text.size()
Files.newBufferedReader(p, StandardCharsets.UTF_8).withReader { println it.readLine() }
println Files.createTempFile(dir, "pre", ".suf").fileName.toString() ==~ /pre.*\.suf/
p.write("w"); p << "more"; println p.text; p.eachLine { println it }
println Paths.get("/a", "b/c").toString() + " " + Paths.get("/a/../b/./c").normalize() + " " + Paths.get("a").toAbsolutePath().absolute + Paths.get("/a/b").startsWith("/a") + Paths.get("/a/b").endsWith("b")
println Paths.get("/a").resolve("/b").toString() + Paths.get("/a").resolve("b") + Paths.get("/a/b").relativize(Paths.get("/a/c/d")) + Paths.get("/a/b").resolveSibling("c") + Paths.get("/a/b").nameCount
println Paths.get("/a/b") == Paths.get("/a//b/")
println([Paths.get("b"), Paths.get("a")].sort()*.toString())
println new File("/x/y").toPath().toString() + Paths.get("/x").toFile().class.name + (Paths.get("x") instanceof Path)
def take(Path x) { "path" }
def take(File x) { "file" }
println take(p) + take(p.toFile())
dir.toFile().deleteDir()
println Files.exists(dir)
