class P { def n; boolean equals(o) { o instanceof P && o.n == n }; int hashCode() { n } }
println new P(n: 1) == new P(n: 1)
println new P(n: 1) == new P(n: 2)
println new P(n: 1) != new P(n: 2)
println([new P(n: 1)].contains(new P(n: 1)))
