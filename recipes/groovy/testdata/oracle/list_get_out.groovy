println([1].get(5))
