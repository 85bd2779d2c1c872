def l = [
    1,
    2,
]
def s = l.findAll {
    it > 1
}.collect {
    it * 2
}
println s
println(1 +
    2)
