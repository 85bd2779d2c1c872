nope(1, "x")
