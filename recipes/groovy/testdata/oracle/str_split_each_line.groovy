"a b\nc d".splitEachLine(" ") { println it[1] + it[0] }
