println "42".toInteger() + 1
println "42".toLong().class
println "1.50".toBigDecimal()
println "2.5".toDouble()
println Integer.parseInt("77")
println Long.parseLong("99")
println Double.parseDouble("1.25")
println Integer.parseInt("ff", 16)
println Integer.valueOf("12")
