def up = "abc".&toUpperCase
println up()
def p = this.&foo
def foo(x) { x * 3 }
println p(4)
println([1, 2].collect(this.&foo))
def m = Math.&max
println m(3, 9)
