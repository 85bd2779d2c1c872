def f = new java.text.SimpleDateFormat("yyyy-MM-dd")
f.setTimeZone(TimeZone.getTimeZone("UTC"))
println f.parse("2024-02-29").time
try { f.parse("nope") } catch (java.text.ParseException e) { println "bad" }
