println Math.max(1, 2)
println Math.min(1.5d, 2)
println Math.abs(-5)
println Math.sqrt(16)
println Math.pow(2, 10)
println Math.floor(3.7)
println Math.ceil(3.2d)
println Math.PI
println Math.floorMod(-7, 3)
