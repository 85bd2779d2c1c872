def toLong = { ip -> ip.tokenize(".").inject(0L) { acc, o -> (acc << 8) + o.toInteger() } }
def toIp = { n -> [24, 16, 8, 0].collect { (n >> it) & 0xff }.join(".") }
println toLong("10.0.0.9")
println((toLong("10.0.0.9")..toLong("10.0.0.11")).collect { toIp(it) })
println toIp(toLong("192.168.1.255") + 1)
