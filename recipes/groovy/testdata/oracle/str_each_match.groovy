"a1b2".eachMatch(/[a-z]\d/) { println it }
