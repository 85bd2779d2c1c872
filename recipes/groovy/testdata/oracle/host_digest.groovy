import java.security.MessageDigest
import java.security.NoSuchAlgorithmException
import java.util.zip.CRC32
["MD5", "SHA-1", "SHA1", "SHA-256", "SHA-512", "sha-384"].each { println it + " " + MessageDigest.getInstance(it).digest("abc".bytes).encodeHex() }
def m = MessageDigest.getInstance("MD5")
m.update("a".bytes); m.update((byte) 98); m.update("xcx".bytes, 1, 1)
println m.digest().encodeHex().toString() + m.algorithm + m.digestLength
println new BigInteger(1, m.digest("abc".getBytes("UTF-8"))).toString(16).padLeft(32, "0")
println m.digest().encodeBase64()
println m.digest().collect { String.format("%02x", it & 0xff) }.join()
m.update("junk".bytes); m.reset(); println m.digest().encodeHex()
def f = File.createTempFile("oracle", ".bin")
f.bytes = [1, 2, -3] as byte[]
f.eachByte(2) { b, n -> m.update(b, 0, n) }
println m.digest().encodeHex()
f.withInputStream { s -> byte[] buf = new byte[2]; int n; while ((n = s.read(buf)) > 0) m.update(buf, 0, n) }
println m.digest().encodeHex()
println MessageDigest.isEqual([1] as byte[], [1] as byte[])
try { MessageDigest.getInstance("nope") } catch (NoSuchAlgorithmException e) { println e.message + " " + e.class.name + (e instanceof java.security.GeneralSecurityException) }
def c = new CRC32(); c.update("abc".bytes); println c.value; c.reset(); c.update(97); println c.getValue()
f.delete()
