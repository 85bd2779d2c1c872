// rights, as an owner
def f = File.createTempFile("oracle", ".txt")
def mode = { ["stat", "-c", "%a", f.path].execute().text.trim() }
["chmod", "644", f.path].execute().waitFor()
println mode()
println f.setExecutable(true); println mode()
println f.setExecutable(false); println mode()
println f.setExecutable(true, false); println mode()
println f.setExecutable(false, false); println mode()
println f.setReadable(false); println mode()
println f.setReadable(true, false); println mode()
println f.setWritable(true, false); println mode()
println f.setWritable(false); println mode()
println f.setReadOnly(); println mode()
println f.setWritable(true, true); println mode()
println f.canExecute()
f.setExecutable(true, false)
println([f.canExecute(), f.canRead()])
f.executable = false
println mode()
println "${f.setLastModified(1000000000000L)} ${f.lastModified()}"
f.lastModified = 1234567890000L
println f.lastModified()
println f.setLastModified(5) 
def none = new File(f.path + ".none")
println([none.setExecutable(true), none.setReadOnly(), none.setLastModified(1), none.canRead(), none.canWrite(), none.canExecute(), none.lastModified(), none.length(), none.list(), none.listFiles(), none.mkdir() && none.delete(), none.delete(), none.deleteDir(), none.createNewFile(), none.createNewFile(), none.deleteDir(), none.delete()])
println f.freeSpace > 0
println f.totalSpace >= f.usableSpace
println([f.renameTo(none), f.exists(), none.exists()])
println f.renameTo(none)
println([none.size(), none.delete()])
