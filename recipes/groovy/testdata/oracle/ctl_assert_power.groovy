assert [1, 2].contains(3)
