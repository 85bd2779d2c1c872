class T { def run() { def c = { this.class.simpleName }; c() } }
println new T().run()
