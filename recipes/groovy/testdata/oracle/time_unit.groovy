import java.util.concurrent.TimeUnit
println TimeUnit.SECONDS
println TimeUnit.MINUTES.toSeconds(2)
println TimeUnit.HOURS.toMillis(1)
println TimeUnit.SECONDS.convert(3, TimeUnit.MINUTES)
