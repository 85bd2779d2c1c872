// The oracle: runs the scripts of a folder under the real Groovy, all in one
// JVM, and writes what each printed and how it ended. make oracle calls it.
//   groovy oracle.groovy FOLDER OUTPUT
// Where Ant is missing (apt-get install ant, or its jars in CLASSPATH), what
// host_ant_* printed before stays.
import org.codehaus.groovy.control.CompilationFailedException
import org.codehaus.groovy.runtime.InvokerInvocationException

def result = new StringBuilder()
def console = System.out
def ant = this.class.classLoader.getResource("org/apache/tools/ant/Project.class") != null
def before = new File(args[1]).exists() ? new File(args[1]).getText("UTF-8") : ""
def kept = ("\n" + before).split("\n=== ").collectEntries { [it.readLines()[0], "=== " + it.trim() + "\n"] }
new File(args[0]).listFiles().findAll { it.name.endsWith(".groovy") }.sort { it.name }.each { file ->
    if (!ant && file.name.startsWith("host_ant_") && kept[file.name]) {
        result << kept[file.name]
        return
    }
    def bytes = new ByteArrayOutputStream()
    def outcome = "ok"
    System.setOut(new PrintStream(bytes, true, "UTF-8"))
    try {
        def loader = new GroovyClassLoader(this.class.classLoader)
        def name = file.name - ".groovy"
        def script = new GroovyShell(loader, new Binding(args: new String[0])).parse(file.getText("UTF-8"), name + ".groovy")
        script.run()
    } catch (CompilationFailedException e) {
        outcome = "syntax error"
    } catch (Throwable t) {
        while (t instanceof InvokerInvocationException && t.cause) t = t.cause
        outcome = t.class.name
    } finally {
        System.out.flush()
        System.setOut(console)
    }
    def text = bytes.toString("UTF-8").replace("\r\n", "\n")
    result << "=== ${file.name}\n" << text << (text && !text.endsWith("\n") ? "\n" : "") << "==> ${outcome}\n"
}
new File(args[1]).setText(result.toString(), "UTF-8")
