// java.net.InetAddress without a name server
def a = InetAddress.getByName("127.0.0.1")
println a.hostAddress
println "${a.isLoopbackAddress()} ${a.loopbackAddress} ${a.isSiteLocalAddress()}"
println InetAddress.getByName("10.1.2.3").siteLocalAddress
println InetAddress.getByName("10.1.2.3").address
println InetAddress.getByName("localhost").hostAddress
println InetAddress.getLoopbackAddress()
println InetAddress.getByName("10.1.2.3") == InetAddress.getByName("10.1.2.3")
println InetAddress.getByName("10.1.2.3").toString()
println InetAddress.localHost.hostAddress ==~ /[0-9a-f.:]+/
println InetAddress.localHost.hostName.size() > 0
println InetAddress.getAllByName("127.0.0.1").size()
try {
    InetAddress.getByName("no-such-name.invalid")
} catch (UnknownHostException e) {
    println "unknown"
}
