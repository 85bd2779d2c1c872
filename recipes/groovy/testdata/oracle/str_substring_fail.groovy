println "abc".substring(2, 1)
