// writing to a process, reading it line by line, consuming its output
def p = "cat".execute()
p.withWriter { w -> w << "one\n"; w.write("two\n"); w.append("three\n") }
println p.text
def q = ["sh", "-c", "echo a; echo b; echo c >&2"].execute()
q.in.eachLine { println "line $it" }
println q.waitFor()
println q.err.text
def out = new StringBuilder(), err = new StringBuffer()
def r = ["sh", "-c", "echo good; echo bad >&2; exit 2"].execute()
r.consumeProcessOutput(out, err)
println r.waitFor()
sleep 200
println "$out$err"
def o2 = new StringBuilder(), e2 = new StringBuilder()
["sh", "-c", "echo x; echo y >&2"].execute().waitForProcessOutput(o2, e2)
println "$o2/$e2"
def s = "cat".execute()
s << "shifted"
s.out.close()
println s.text
def reader = ["sh", "-c", "echo first; echo second"].execute().in.newReader()
println reader.readLine() + "," + reader.readLine() + "," + reader.readLine()
