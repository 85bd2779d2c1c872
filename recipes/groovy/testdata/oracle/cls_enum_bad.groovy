enum E { A }
E.valueOf("B")
