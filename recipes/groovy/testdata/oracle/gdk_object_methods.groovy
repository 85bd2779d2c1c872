def o = new Object()
println o.equals(o)
println o == o
println o.toString().startsWith("java.lang.Object@")
println o.class.name
