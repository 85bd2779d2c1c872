def samples = [[i: 1, v: [10, 20, 30]], [i: 2, v: [40, 50, 60]]]
def average = { l -> l.sum() / l.size() }
def perInstance = samples.collect { average(it.v) }
println perInstance
println average(perInstance)
println perInstance.max()
def high = 30
println average(perInstance) > high ? "scale out" : "stay"
def percentile = { l, p -> def s = l.sort(false); s[(int) Math.ceil(p / 100 * s.size()) - 1] }
println percentile(samples*.v.flatten(), 90)
