enum P { LOW(1), HIGH(2)
  int n
  P(int n) { this.n = n }
  P next() { values().find { it.n > n } ?: LOW }
  static P of(int n) { values().find { it.n == n } }
  P same() { valueOf(name()) }
  def all() { [1].collect { values().size() } }
}
println P.LOW.next()
println P.HIGH.next()
println P.of(2)
println P.LOW.same()
println P.HIGH.all()
P p = P.LOW
p++
println p
