// java.net.URI takes any scheme, URL those that Java can open
["http://h:80/a?b=1#c", "jdbc:mysql://h:3306/db", "/only/path", "a.b", "mailto:x@y", "", "ssh://u@h/x", "http://h/ü"].each { def u = new URI(it); println([u.scheme, u.host, u.port, u.path, u.query, u.fragment, u.toString()]) }
["a b", ":x", "a b:c", "1a:x", "http://h/a|b", "http://h/%zz", "http://h/a b", "http://h/?a b", "http://h/#a b", "http://h/%2", "x:{", "http://h/a#b#c"].each { text ->
    try { println new URI(text) } catch (URISyntaxException e) { println e }
    try { text.toURI() } catch (e) { println e.message }
}
["foo://x", "ssh://u@h/x", "a b", "a b:c", "jdbc:mysql://h/x", "", "x"].each { text ->
    try { println new URL(text) } catch (MalformedURLException e) { println e }
}
println(["ftp://h/x", "mailto:a@b", "jar:file:/x.jar!/y", "HTTP://h/x"].collect { new URL(it).protocol })
println URI.create("foo:bar").scheme
try { new URL("http://127.0.0.1:1/x").text } catch (ConnectException e) { println e.message }
