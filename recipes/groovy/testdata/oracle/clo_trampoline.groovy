def fact
fact = { n, acc = 1G -> n <= 1 ? acc : fact.trampoline(n - 1, acc * n) }.trampoline()
println fact(20)
