enum Planet {
    EARTH(1.0, "blue"), MARS(0.5, "red")
    final double mass
    final String color
    Planet(double m, String c) { mass = m; color = c }
    def describe() { "$name() $mass $color".replace("\$name()", name()) }
}
println Planet.EARTH.mass
println Planet.MARS.color
println Planet.values()*.mass.sum()
println Planet.valueOf("MARS").color
