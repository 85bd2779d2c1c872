import static java.lang.Math.max
import static java.lang.Math.*
println max(1, 5)
println abs(-3)
println PI > 3
