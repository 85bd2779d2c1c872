abstract class Shape { abstract double area(); String toString() { "${getClass().simpleName} ${area()}" } }
class Sq extends Shape { double s; double area() { s * s } }
println new Sq(s: 3)
