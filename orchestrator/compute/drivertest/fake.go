package drivertest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"appliance/pool"
)

// Fake is a driver in memory, for tests of what uses drivers. Its steps are
// up and down.
type Fake struct {
	Driver pool.Driver

	mu sync.Mutex
	up map[string]bool
}

// Kind implements Driver.
func (f *Fake) Kind() pool.Driver { return f.Driver }

// Choose returns the first machine of its driver that is ready and fits.
func (f *Fake) Choose(t pool.Template, machines []pool.Machine) (best pool.Machine, why map[string][]string, ok bool) {
	why = map[string][]string{}
	for _, m := range machines {
		if m.Driver.Or() != f.Driver {
			continue
		}
		no := t.Match(m)
		if m.Phase != pool.Ready {
			no = append(no, "is "+string(m.Phase))
		}
		switch {
		case len(no) > 0:
			why[m.ID] = no
		case !ok:
			best, ok = m, true
		}
	}
	return best, why, ok
}

// Do implements Driver.
func (f *Fake) Do(ctx context.Context, j pool.Job) (pool.JobResult, error) {
	if !slices.Contains([]string{"up", "down"}, j.Step) {
		return pool.JobResult{}, fmt.Errorf("%w: the fake has no step %s", pool.ErrInvalid, j.Step)
	}
	if ctx.Err() != nil {
		return pool.JobResult{}, ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.up == nil {
		f.up = map[string]bool{}
	}
	if j.Step == "up" {
		f.up[j.Machine.ID] = true
	} else {
		delete(f.up, j.Machine.ID)
	}
	return pool.JobResult{}, nil
}

// Left lists what there is of a machine.
func (f *Fake) Left(m pool.Machine) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.up[m.ID] {
		return []string{m.ID}
	}
	return nil
}
