// Package compute supplies machines to services: metal from the pool, hosts
// that already run, virtual machines that it makes. One Driver for each; a
// template says which, in order of preference, and nothing else does.
//
// A driver chooses and prepares, and never decides who owns a machine: what
// it chooses is claimed by the orchestrator in one transaction, so that two
// never get the same. It keeps no state but in the machine and its row.
package compute

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"appliance/pool"
)

// Driver is one way to come by machines.
type Driver interface {
	Kind() pool.Driver
	// Choose returns the machine that is best for t, and for every other
	// machine of its driver, by ID, why it is not free for t. It is pure: the
	// same pool gives the same machine. ok is false when none fits.
	Choose(t pool.Template, machines []pool.Machine) (best pool.Machine, why map[string][]string, ok bool)
	// Do carries out one step that the driver has of its own. It may be asked
	// twice for the same and then leaves the same behind; it ends soon after
	// ctx. Errors are *pool.Cause where a person can act on them, and wrap
	// pool.ErrInvalid for a step that the driver has not.
	Do(ctx context.Context, j pool.Job) (pool.JobResult, error)
}

// Set chooses over several drivers: the template's order of preference
// decides which is asked first, and the next only when it has none.
type Set []Driver

// Of returns the driver of a kind, or nil.
func (s Set) Of(k pool.Driver) Driver {
	for _, d := range s {
		if d.Kind() == k.Or() {
			return d
		}
	}
	return nil
}

// Choose returns the best machine of the first driver in t's order that has
// one. Every machine that was not free for t has its reasons, by ID; one that
// would do but is of a driver that comes later says so.
func (s Set) Choose(t pool.Template, machines []pool.Machine) (best pool.Machine, why map[string][]string, ok bool) {
	why = map[string][]string{}
	var by pool.Driver
	for _, kind := range t.Wants() {
		d := s.Of(kind)
		if d == nil {
			continue
		}
		m, no, found := d.Choose(t, machines)
		for id, reasons := range no {
			why[id] = reasons
		}
		switch {
		case found && !ok:
			best, by, ok = m, kind, true
		case found:
			for _, o := range machines {
				if o.Driver.Or() == kind && len(why[o.ID]) == 0 {
					why[o.ID] = []string{fmt.Sprintf("would do, but template %s prefers %s", t.Name, by)}
				}
			}
		}
	}
	for _, m := range machines {
		if t.Prefers(m.Driver) < 0 {
			why[m.ID] = t.Match(m)
		} else if s.Of(m.Driver) == nil {
			why[m.ID] = []string{fmt.Sprintf("is of driver %s, which this appliance has not", m.Driver.Or())}
		}
	}
	return best, why, ok
}

// Do implements Driver for all of them: the machine's own carries the step out.
func (s Set) Do(ctx context.Context, j pool.Job) (pool.JobResult, error) {
	d := s.Of(j.Machine.Driver)
	if d == nil {
		return pool.JobResult{}, fmt.Errorf("%w: machine %s is of driver %s, which this appliance has not", pool.ErrInvalid, j.Machine.ID, j.Machine.Driver.Or())
	}
	return d.Do(ctx, j)
}

// noStep refuses a step that a driver has not.
func noStep(k pool.Driver, j pool.Job) error {
	return fmt.Errorf("%w: driver %s has no step %s", pool.ErrInvalid, k, j.Step)
}

// choose is what all drivers share: the machines of kind that fit and are
// ready, and why the others are not; the smallest is best.
func choose(kind pool.Driver, t pool.Template, machines []pool.Machine) (best pool.Machine, why map[string][]string, ok bool) {
	why = map[string][]string{}
	var fit []pool.Machine
	for _, m := range machines {
		if m.Driver.Or() != kind {
			continue
		}
		no := t.Match(m)
		if len(no) == 0 && m.Phase == pool.Ready {
			fit = append(fit, m)
			continue
		}
		if len(no) == 0 {
			no = []string{busy(m)}
		}
		why[m.ID] = no
	}
	if len(fit) == 0 {
		return pool.Machine{}, why, false
	}
	return slices.MinFunc(fit, bySize), why, true
}

// Busy begins the reason of a machine that is large enough but not free.
const Busy = "fits, but is "

func busy(m pool.Machine) string {
	switch {
	case m.Conditions.Is(pool.CondProtected):
		return Busy + string(m.Phase) + " and protected: its disks hold what nobody allowed to erase"
	case m.Conditions.Is(pool.CondBroken):
		return Busy + string(m.Phase) + " and broken: " + m.Conditions[pool.CondBroken].Reason
	case m.Conditions.Is(pool.CondHold):
		return Busy + string(m.Phase) + " and on hold"
	}
	return Busy + string(m.Phase)
}

func bySize(a, b pool.Machine) int {
	return cmp.Or(
		cmp.Compare(a.Facts.CPU.Cores, b.Facts.CPU.Cores),
		cmp.Compare(a.Facts.Memory, b.Facts.Memory),
		cmp.Compare(disk(a), disk(b)),
		strings.Compare(a.ID, b.ID),
	)
}

func disk(m pool.Machine) (n uint64) {
	for _, d := range m.Facts.Disks {
		if d.Target() {
			n += d.Size
		}
	}
	return n
}
