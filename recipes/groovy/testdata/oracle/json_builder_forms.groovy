def t(String n, Closure c) { try { println n + ": " + c() } catch (Throwable e) { println n + " !! " + e.class.simpleName + " " + (e.message ?: "").readLines().with { it ? it[0] : "" }.take(90) } }
def mk = { new groovy.json.JsonBuilder() }
t("one") { def b = mk(); b.name("x"); b.toString() }
t("zero") { def b = mk(); b.name(); b.toString() }
t("zeroIn") { def b = mk(); b { tags(); a 1 }; b.toString() }
t("list") { def b = mk(); b(["a", "b"]) { k -> key k }; b.toString() }
t("listIn") { def b = mk(); b { items([1, 2]) { i -> v i } }; b.toString() }
t("valIn") { def b = mk(); b { item("q") { i -> v i } }; b.toString() }
t("named list") { def b = mk(); b.items([1, 2]) { v it }; b.toString() }
t("content") { def b = mk(); b { a 1 }; b.content }
t("outer") { def host = "h1"; def b = mk(); b.server { name host; ports 80, 443; tags "a"; opts(x: 1, y: [1, 2]); sub { deep true } }; b.toString() }
t("print") { def b = mk(); b { a 1 }; println b; "$b" }
t("pretty") { new groovy.json.JsonBuilder([a: [1, [b: 2]], c: []]).toPrettyString() }
t("writeTo") { def w = new StringWriter(); new groovy.json.JsonBuilder([1]).writeTo(w); w.toString() }
t("stream") { def w = new StringWriter(); def s = new groovy.json.StreamingJsonBuilder(w); s { a 1; l 1, 2; o { b 2 } }; w.toString() }
t("stream2") { def w = new StringWriter(); def s = new groovy.json.StreamingJsonBuilder(w); s([1, 2]) { n it }; w.toString() }
t("stream3") { def w = new StringWriter(); new groovy.json.StreamingJsonBuilder(w, [a: 1]); w.toString() }
t("json") { groovy.json.JsonOutput.toJson([d: 1.50, n: null, s: "a\"b/\u00e9", l: [1L, 2.0f, true], m: [:], c: 'x' as char, g: "${1 + 1}"]) }
t("json2") { groovy.json.JsonOutput.toJson("x") + groovy.json.JsonOutput.toJson(null as Object) + groovy.json.JsonOutput.toJson(5) }
t("json3") { groovy.json.JsonOutput.prettyPrint('{"a":{},"b":[],"c":[1,{"x":null}]}') }
t("order") { groovy.json.JsonOutput.toJson(new groovy.json.JsonSlurper().parseText('{"b":1,"a":2,"c":{"z":1,"y":2}}')) }
t("bad2") { new groovy.json.JsonSlurper().parseText('') }
t("mut") { def m = new groovy.json.JsonSlurper().parseText('{"b":1}'); m.a = 5; m.b++; m }
