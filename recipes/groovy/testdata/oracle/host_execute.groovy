// "cmd".execute() and lists of words: text, exit codes, environment, folder
println "echo hello world".execute().text
def p = ["sh", "-c", "echo out; echo err >&2; exit 3"].execute()
println p.waitFor()
println p.exitValue() + " " + p.in.text.trim() + " " + p.err.text.trim()
println(["sh", "-c", 'echo $GREETING from `pwd`'].execute(["GREETING=hi", "PATH=" + System.getenv("PATH")], new File("/")).text)
println "printf a\\nb".execute().in.readLines().size()
try {
    "no-such-program-anywhere".execute()
} catch (IOException e) {
    println e.message.contains("no-such-program-anywhere")
}
try { ["ls", "x"].execute(null, new File("/no such folder")) } catch (IOException e) { println e.message }
