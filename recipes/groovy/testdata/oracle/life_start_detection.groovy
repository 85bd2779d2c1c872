def occupied = [3306: true, 8080: false]
def isPortOccupied = { occupied[it] ?: false }
def startDetection = { ports -> ports.every { isPortOccupied(it) } }
println startDetection([3306])
println startDetection([3306, 8080])
println startDetection([])
