enum Color { RED, GREEN, BLUE }
println Color.RED
println Color.values()
println Color.valueOf("GREEN")
println Color.BLUE.ordinal()
println Color.RED.name()
println Color.RED == Color.valueOf("RED")
println Color.RED < Color.BLUE
for (c in Color) print c
println()
println Color.values().collect { it.name().toLowerCase() }
println Color.RED.next()
println("RED" as Color)
