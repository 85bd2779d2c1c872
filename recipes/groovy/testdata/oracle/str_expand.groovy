println "a\tb".expand(4)
