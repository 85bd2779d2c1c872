// paths
println([new File("a").parent, new File("a").parentFile, new File("/a").parent, new File("/").parent, new File("a/b").parent, new File("a/b/").parent, new File("..").parent])
println([new File("/a//b/").path, new File("/").path, new File("/").name, new File("").name, new File("a/").name, new File("a", "/b").path, new File("a/", "b/").path, new File("", "b").path, new File((String) null, "b").path, new File(new File("x"), "y").path, new File(".").path, new File("./a").path])
println new File("/a/../b").absolutePath + " " + new File("/a/../b").canonicalPath + " " + new File("/tmp/./x//y").canonicalPath
println new File("a") == new File("a") 
println new File("a") == new File("./a")
println new File("a/") == new File("a")
println new File("a").equals("a")
println new File("a/b").hashCode() + " " + new File("a/b").hashCode().equals(new File("a//b").hashCode())
println new File("a") <=> new File("b")
println new File("ab").compareTo(new File("ad"))
println([new File("c"), new File("a"), new File("b")].sort())
println([new File("c"), new File("a")].min())
println([new File("c"), new File("a"), new File("a")].unique()*.name)
println(([(new File("k")): 1])[new File("k")])
println([new File("a"), new File("a")] as Set)
println new File("x/a b").toURI().toString().startsWith("file:/")
println new File("/x/a b/ü").toURI()
println new File("/x").toURL()
println new File("/nowhere").toURI().toURL().protocol
println new File("/tmp").toURI()
println new File(new URI("file:/x/y")).path + " " + new File(new File("/q r").toURI())
println([new File("/a/b").isAbsolute(), new File("a").absolute])
println([new File(".hid").isHidden(), new File("a/.hid").hidden, new File("hid").hidden])
println new File("a").absolutePath == new File("").absolutePath + "/a"
println new File("a").absoluteFile == new File(new File("").absolutePath, "a")
println new File("/a/b/c").parentFile.parentFile.name
println([new File("").exists(), new File("").path.empty])
println File.separator + File.pathSeparator + File.separatorChar
println "${new File('/a')}" + new File("b")
println new File("/a/b") in [new File("/a/b")]
try { new File(null) } catch (Exception e) { println e.class.simpleName }
try { File.createTempFile("a", "b") } catch (IllegalArgumentException e) { println e.message }
def t = File.createTempFile("abc", null)
println t.name.startsWith("abc") && t.name.endsWith(".tmp") && t.absolute
println t.delete()
def d = File.createTempFile("oracle", "dir"); d.delete(); d.mkdir()
def u = File.createTempFile("abc", ".x", d)
println u.parentFile == d
["ln", "-s", u.path, d.path + "/link"].execute().waitFor()
println new File(d, "link").canonicalFile == u.canonicalFile
println new File(d, "link/../link").canonicalPath == u.canonicalPath
println new File(d, "nothing/../x").canonicalPath == d.canonicalPath + "/x"
u.delete()
println([new File(d, "link").exists(), d.list().toList()])
println([d.deleteDir(), d.exists()])
