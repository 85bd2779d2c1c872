def f(int x) { x }
f("a")
