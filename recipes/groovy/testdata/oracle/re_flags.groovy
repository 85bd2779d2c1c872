println "ABC" ==~ /(?i)abc/
println(("a\nb" =~ /(?m)^b$/) ? "multi" : "no")
println "a\nb" ==~ /(?s)a.b/
