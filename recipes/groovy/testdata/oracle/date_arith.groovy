def a = new Date(0)
def b = a + 5
println b.time - a.time
println b > a
println b.after(a)
println((b - a))
println new Date(1000).compareTo(new Date(2000))
println new Date(5) == new Date(5)
