class F { def x = 1; def getX() { "getter" }; def direct() { x } }
def f = new F()
println f.x
println f.@x
println f.direct()
println this.class.simpleName.size() > 0
