class P { def a }
new P(b: 1)
