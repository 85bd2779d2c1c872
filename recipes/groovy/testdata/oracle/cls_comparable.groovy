class V implements Comparable<V> {
    int n
    int compareTo(V o) { n <=> o.n }
    String toString() { "v$n" }
}
println([new V(n: 3), new V(n: 1)].sort())
println new V(n: 1) < new V(n: 2)
println([new V(n: 3), new V(n: 5)].max())
println new V(n: 1) == new V(n: 1)
