def server = new ServerSocket(0)
def port = server.localPort
println port > 0
try { new ServerSocket(port) } catch (BindException e) { println "bind " + (e instanceof SocketException) }
def a = new Socket("127.0.0.1", port)
def b = server.accept()
println([a.connected, a.closed, a.port == port, b.localPort == port])
a << "hello\n"
a.outputStream.write([66, 10] as byte[]); a.outputStream.flush()
def r = b.inputStream.newReader()
println r.readLine() + r.readLine()
b.outputStream.withWriter { it << "bye\nall" }
println a.inputStream.text
println b.closed
a.close(); println a.closed
try { a.inputStream } catch (SocketException e) { println e.message }
a = new Socket("localhost", port); b = server.accept()
a.withStreams { i, o -> o << "x\n"; o.flush(); println new BufferedReader(new InputStreamReader(b.inputStream)).readLine(); b.close(); println i.read() }
println a.closed
a = new Socket(); println a.connected
a.soTimeout = 50
a.connect(new InetSocketAddress("127.0.0.1", port), 1000); b = server.accept()
try { a.inputStream.read() } catch (SocketTimeoutException e) { println e.message }
println a.inputStream.available()
def w = new PrintWriter(b.outputStream, true); w.println("1 line"); println a.inputStream.newReader().readLine()
b.shutdownOutput(); println a.inputStream.read()
a.close(); b.close()
server.soTimeout = 50
try { server.accept() } catch (SocketTimeoutException e) { println e.message }
server.close(); println server.closed
try { server.accept() } catch (SocketException e) { println "closed" }
try { new Socket("127.0.0.1", port) } catch (ConnectException e) { println e.message + (e instanceof IOException) }
try { new Socket().connect(new InetSocketAddress("127.0.0.1", port), 500); println "?" } catch (ConnectException e) { println e.message }
try { new Socket("127.0.0.1", 70000) } catch (IllegalArgumentException e) { println e.message }
try { new InetSocketAddress("127.0.0.1", -1) } catch (IllegalArgumentException e) { println e.message }
try { new Socket("no-such-name.invalid", 1) } catch (UnknownHostException e) { println e.message }
try { new Socket().inputStream } catch (SocketException e) { println e.message }
def lo = NetworkInterface.getByName("lo")
println lo.name + lo.loopback + lo.up + lo.isLoopback() + lo.displayName + lo.hardwareAddress
println lo.inetAddresses.toList()*.hostAddress.contains("127.0.0.1")
println NetworkInterface.networkInterfaces.any { it.name == "lo" } 
println NetworkInterface.networkInterfaces.find { it.isLoopback() }.inetAddresses.findAll { it.hostAddress.contains(".") }*.hostAddress
println NetworkInterface.getByName("nope0")
println NetworkInterface.getByInetAddress(InetAddress.getByName("127.0.0.1")).name
for (i in NetworkInterface.networkInterfaces) if (i.loopback) println i.name
def all = NetworkInterface.getNetworkInterfaces(); println all.hasMoreElements(); println all.nextElement() instanceof NetworkInterface
