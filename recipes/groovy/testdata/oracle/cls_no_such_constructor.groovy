class P { P(int x) { } }
new P("a", "b")
