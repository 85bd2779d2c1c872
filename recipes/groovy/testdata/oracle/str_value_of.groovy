println String.valueOf(5)
println String.valueOf(true)
println new String("abc")
println String.valueOf(null as Object)
