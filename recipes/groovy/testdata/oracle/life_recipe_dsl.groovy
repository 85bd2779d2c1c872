class Block { def props = [:]; def methodMissing(String n, a) { props[n] = a.size() == 1 ? conv(a[0]) : a.toList() }; def conv(v) { if (v instanceof Closure) { def b = new Block(); v.delegate = b; v.resolveStrategy = Closure.DELEGATE_FIRST; v(); return b.props }; v } }
def service(Closure c) { def b = new Block(); c.delegate = b; c.resolveStrategy = Closure.DELEGATE_FIRST; c(); b.props }
def port = 3306
def r = service {
    name "mysql"
    numInstances 2
    lifecycle {
        install "mysql_install.groovy"
        startDetectionTimeoutSecs 900
        ports([port, port + 1])
    }
    compute { template "SMALL_LINUX" }
}
println r
println r.lifecycle.install
