// java.net.URL: its parts, and files
def u = new URL("http://user@example.org:8080/a/b.html?x=1&y=2#top")
println([u.protocol, u.host, u.port, u.path, u.query, u.ref, u.file, u.userInfo, u.authority, u.defaultPort])
println u
println u.toString() == u.toExternalForm()
println new URL("http://example.org/a/").port
println new URL(new URL("http://example.org/a/b"), "c?d=e")
println new URL("http", "example.org", 81, "/x")
try {
    new URL("no url")
} catch (MalformedURLException e) {
    println e.message
}
def f = File.createTempFile("oracle", ".txt")
f.text = "one\ntwo\n"
def url = new URL("file:" + f.path)
println url.text
println url.readLines()
url.withReader { r -> println r.readLine() }
url.eachLine { println "line " + it }
println url.openStream().text
println url.openConnection().inputStream.text
println url.newReader().readLine()
println f.toURI().toURL().text
f.delete()
try {
    url.text
} catch (FileNotFoundException e) {
    println "gone"
}
println new URI("http://a.b/c?d").host + URI.create("http://a.b/c").path
def isURL(String s) {
    try {
        s.toURL()
        return true
    } catch (java.net.MalformedURLException e) {
        return false
    } catch (java.lang.NullPointerException e) {
        return false
    }
}
println([isURL("http://a/b"), isURL("nothing"), isURL(null)])
def conf = new File(File.createTempFile("oracle", "x").parentFile, "solo.rb") << """path "x"
"""
println conf.text + conf.name
conf.delete()
