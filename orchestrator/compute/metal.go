package compute

import (
	"context"

	"appliance/pool"
)

// Metal chooses among the servers of the pool. The zero value is ready.
type Metal struct{}

// Kind implements Driver.
func (Metal) Kind() pool.Driver { return pool.DriverMetal }

// Choose returns the smallest server that is ready and large enough for t.
//
// Smallest means: fewest cores, then least memory, then least disk, then the
// lowest ID, so that large machines stay for those who need them. Machines
// that would do but are busy are told apart from those that never would: the
// reason of a busy one starts with [Busy].
func (Metal) Choose(t pool.Template, machines []pool.Machine) (best pool.Machine, why map[string][]string, ok bool) {
	return choose(pool.DriverMetal, t, machines)
}

// Do refuses: a server is prepared by its BMC and by the agent in its RAM.
func (Metal) Do(_ context.Context, j pool.Job) (pool.JobResult, error) {
	return pool.JobResult{}, noStep(pool.DriverMetal, j)
}
