println "a_1" ==~ /\w+/
println "tel: 123-456" .findAll(/[0-9]{3}/)
println "a b\tc".split(/\s+/).toList()
println "héllo".replaceAll(/[^\p{ASCII}]/, "?")
