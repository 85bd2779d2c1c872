// a connection refused; what is set before a request
def port = 1 // nobody listens there
def c = new URL("http://127.0.0.1:$port/x").openConnection()
c.requestMethod = "PUT"
c.setRequestProperty("X-Test", "1")
c.connectTimeout = 1000
c.setReadTimeout(1000)
println c.requestMethod + " " + c.connectTimeout + " " + c.readTimeout
try {
    println c.responseCode
} catch (ConnectException e) {
    println "refused"
}
try {
    new URL("http://127.0.0.1:$port/").text
} catch (IOException e) {
    println e.class.simpleName
}
