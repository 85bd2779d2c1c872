println 'tab\tend'
println "quote\"s"
println 'it\'s'
println "back\\slash"
println "\u0041\u00e9"
println 'dollar $x'
println "dollar \$x"
println "nl\\n"
