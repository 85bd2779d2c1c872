println new Date(0).getTime()
println new Date(1000L).time / 1000
