def state = ["starting", "starting", "running"]
def polls = 0
def started = false
while (!started && polls < 10) {
    def s = state[Math.min(polls, state.size() - 1)]
    polls++
    started = s == "running"
}
println "started=$started after $polls polls"
