def tryIt(n, c) { try { println n + ": " + c() } catch (Throwable e) { println n + " " + e.class.simpleName } }
tryIt("char") { (('c' as char) + "x") }
tryIt("sb") { new StringBuilder("c") + "x" }
tryIt("sbuf") { new StringBuffer("c") + "x" }
tryIt("exc") { new Exception("a") + "x" }
tryIt("class") { String + "x" }
tryIt("pattern") { ~/a/ + "x" }
tryIt("set") { ([1] as Set) + "x" }
tryIt("map") { [a: 1] + "x" }
tryIt("range") { (1..2) + "x" }
tryIt("bool") { true + "x" }
tryIt("gs") { "${1}" + "x" }
tryIt("tu") { java.util.concurrent.TimeUnit.SECONDS + "x" }
println(("a" as char) + ("b" as char))
println(("a" as char) + 1)
