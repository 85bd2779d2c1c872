byte[] b = [1, -1, 127, -128, 255 as byte] as byte[]
println b.collect { String.format("%02x", it) }.join()
println b.collect { it.class.simpleName }.unique()
println b.collect { it & 0xff }
println b[1] + " " + b[1].class.name
println((b[1] + 1).class.simpleName + " " + (b[2] + b[2]))
byte x = 5
x += 3
println x + " " + x.class.simpleName
x++
println x + " " + x.class.simpleName
println(-b[3])
println b.toList()
println b[0] == 1
println b as List
println([1 as byte].contains(1))
println "hi".bytes.sum()
println "hi".bytes.collect { Integer.toHexString(it & 0xff) }
println "é".getBytes("UTF-8").collect { it }
def m = [:]
m[b[0]] = "a"
println m[1 as byte] + " " + m[1]
println new String(b[0..0] as byte[]).length()
println Byte.parseByte("7").class.simpleName + " " + Byte.MAX_VALUE
println b.encodeHex()
println(~b[0])
println b[0] << 4
println String.format("%d %s %x", b[1], b[1], b[1])
def hex = { byte[] d -> d.inject("") { s, v -> s + Integer.toString((v & 0xff) + 0x100, 16).substring(1) } }
println hex("abc".bytes)
println new BigInteger(1, "abc".bytes).toString(16)
println (b.any { it < 0 })
switch (b[0]) { case 1: println "one"; break; default: println "other" }
println groovy.json.JsonOutput.toJson(b)
println b.size() + " " + b.length
println Arrays.equals(b, b as byte[])
short sh = 3
println sh + 1
println((300 as byte) + " " + (200 as Byte))
