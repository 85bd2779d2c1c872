import groovy.time.*
def d = Date.parse("yyyy-MM-dd HH:mm:ss", "2024-02-29 13:34:56")
def e = Date.parse("yyyy-MM-dd HH:mm:ss", "2024-03-03 15:00:00")
println TimeCategory.minus(e, d)
println TimeCategory.minus(d, e)
println TimeCategory.minus(d, d)
def x = new TimeDuration(1, 2, 3, 4)
println x
println x.hours + " " + x.minutes + " " + x.seconds + " " + x.millis + " " + x.days
println x.toMilliseconds()
println new TimeDuration(3, 1, 2, 3, 4)
println new Duration(1, 0, 0, 0, 0)
println new Duration(1, 2, 3, 4, 1500)
println new TimeDuration(0, 0, 0, -5)
println new DatumDependentDuration(1, 2, 3, 0, 0, 0, 0)
println x + new TimeDuration(0, 1, 0, 0)
println x - new TimeDuration(0, 1, 0, 0)
println((x + new Duration(1, 0, 0, 0, 0)).class.name)
println((new Duration(1, 0, 0, 0, 0) + new DatumDependentDuration(0, 1, 0, 0, 0, 0, 0)).class.name)
println x <=> new TimeDuration(2, 0, 0, 0)
println x > new TimeDuration(1, 0, 0, 0)
println TimeCategory.getDays(3)
println TimeCategory.getHours(3).class.name
println TimeCategory.getWeek(1)
println TimeCategory.plus(d, TimeCategory.getHours(2)).format("yyyy-MM-dd HH:mm:ss")
println TimeCategory.minus(d, TimeCategory.getMonths(1)).format("yyyy-MM-dd HH:mm:ss")
println TimeCategory.plus(d, TimeCategory.getYear(1)).format("yyyy-MM-dd HH:mm:ss")
println TimeCategory.getDays(1).ago < new Date()
println TimeCategory.getHours(1).from.now > new Date()
def today = TimeCategory.getDays(0).ago
println today.hours + today.minutes
