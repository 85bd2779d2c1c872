def a = new int[2]
a[2] = 1
