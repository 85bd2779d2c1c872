// a process that is ended, that has not ended, that may not be run
def p = ["sleep", "10"].execute()
try { p.exitValue() } catch (e) { println "${e.class.name}: ${e.message} ${e instanceof IllegalArgumentException}" }
p.waitForOrKill(100)
p.waitFor()
println p.exitValue()
def f = File.createTempFile("oracle", ".sh")
f.text = "echo"
try { [f.path].execute(null, new File("/")) } catch (IOException e) { println e.message.replace(f.path, "F") }
f.delete()
