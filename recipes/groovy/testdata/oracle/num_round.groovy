println 3.7d.round()
println 3.14159d.round(2)
println 2.5d.round()
println((-2.5d).round())
println Math.round(2.5d)
println Math.round(2.4d).class
println 3.14159.setScale(2, BigDecimal.ROUND_HALF_UP)
