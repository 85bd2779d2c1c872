println "a" < "b"
println "a" <=> "c"
println "apple".compareTo("banana")
println "Abc".equalsIgnoreCase("aBC")
println "abc".compareToIgnoreCase("ABD")
println "a".equals("a")
println "a" == 'a'
