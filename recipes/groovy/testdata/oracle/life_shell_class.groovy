class Shell {
    static commands = []
    static int exitCode = 0
    static int sh(String command, boolean shellify = true, Map opts = [:], Closure callback = null) {
        commands << (shellify ? "sh -c '${command}'" : command).toString()
        if (callback) callback(command)
        exitCode
    }
    static sudo(String command, Map opts = [:]) { sh("sudo " + command, true, opts) }
    static test(String command) { sh(command) == 0 }
}
Shell.sudo("apt-get update")
Shell.sh("ls", false, [:]) { println "ran $it" }
println Shell.test("true")
Shell.commands.each { println it }
