def say(x) { [to: { y -> println "$x to $y" }] }
say "hi" to "bob"
def move(d) { [by: { n -> "$d $n" }] }
def r = move "left" by 3
println r
