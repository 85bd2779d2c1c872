println "héllo".bytes.encodeHex().toString()
println "héllo".bytes.encodeBase64().toString()
println "hello".getBytes("UTF-8").encodeHex()
println "aGVsbG8=".decodeBase64() as List
println "68656c6c6f".decodeHex() as List
println ("abc".getBytes("US-ASCII").encodeBase64())
byte[] bb = [1,2,3]
println bb.encodeHex()
try { "6".decodeHex() } catch (e) { println e }
try { "6z".decodeHex() } catch (e) { println e }
try { "a*==".decodeBase64() } catch (e) { println e }
println(new String("aGVs\nbG8=".decodeBase64()))
try { "abc".encodeBase64() } catch (e) { println e.class }
try { [1].encodeHex() } catch (e) { println e.class }
