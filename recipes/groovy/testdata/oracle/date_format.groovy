def d = new Date(0)
def f = new java.text.SimpleDateFormat("yyyy-MM-dd HH:mm:ss")
f.setTimeZone(TimeZone.getTimeZone("UTC"))
println f.format(d)
println d.time
def g = new java.text.SimpleDateFormat("dd MMM yyyy, EEE")
g.setTimeZone(TimeZone.getTimeZone("UTC"))
println g.format(new Date(86400000L * 365))
