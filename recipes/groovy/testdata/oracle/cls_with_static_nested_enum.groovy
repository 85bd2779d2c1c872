class Job { enum State { NEW, DONE }; def state = State.NEW }
println new Job().state
println Job.State.DONE
