println(("a1b2c3" =~ /\d/).collect { it.toInteger() })
println("a-b-c".split("-").collect { it.toUpperCase() })
println(("k1=v1;k2=v2" =~ /(\w+)=(\w+)/).collect { it[1] + it[2] })
