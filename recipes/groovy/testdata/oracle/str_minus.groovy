println "hello world" - "world"
println "aXbX" - "X"
println "abc" - ~/b/
