def it = [1, 2].iterator()
while (it.hasNext()) println it.next()
