println "Hello".toUpperCase()
println "Hello".toLowerCase()
println "hello".capitalize()
println "Hello".uncapitalize()
