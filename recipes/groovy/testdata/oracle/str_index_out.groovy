println "abc"[5]
