// processes in a row, and one that is ended
def sorted = ["printf", "b\\na\\nc\\n"].execute() | ["sort"].execute() | ["head", "-2"].execute()
sorted.waitFor()
println sorted.text
def long1 = ["sleep", "60"].execute()
long1.waitForOrKill(50)
println long1.waitFor() != 0
def long2 = "sleep 60".execute()
long2.destroy()
println long2.waitFor() != 0
def running = "sleep 60".execute()
try {
    running.exitValue()
} catch (IllegalThreadStateException e) {
    println "still running"
}
running.destroy()
