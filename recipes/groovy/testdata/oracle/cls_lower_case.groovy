// A class may begin with a small letter.
class util {
    static twice(n) { n * 2 }
    def x
    util(x) { this.x = x }
}
println util.twice(4)
println new util(3).x
println util.name
