println System.currentTimeMillis() > 0
println System.getProperty("no.such.property")
println System.getProperty("no.such", "dflt")
println System.getenv("NO_SUCH_VARIABLE_X")
println System.getProperty("file.separator")
println System.nanoTime() instanceof Long
