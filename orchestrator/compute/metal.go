// Package compute supplies machines to services. Metal takes them from the
// pool; later drivers will start virtual machines or use hosts that already
// run. It decides and never acts: what it chooses is claimed by the
// orchestrator in one transaction, so that two never get the same machine.
package compute

import (
	"cmp"
	"slices"
	"strings"

	"appliance/pool"
)

// Metal chooses among the machines of the pool. The zero value is ready.
type Metal struct{}

// Choose returns the smallest machine that is ready and large enough for t,
// and for every other machine, by ID, why it is not free for t. It is a pure
// function: the same pool gives the same machine. ok is false when none fits.
//
// Smallest means: fewest cores, then least memory, then least disk, then the
// lowest ID, so that large machines stay for those who need them. Machines
// that would do but are busy are told apart from those that never would: the
// reason of a busy one starts with [Busy].
func (Metal) Choose(t pool.Template, machines []pool.Machine) (best pool.Machine, why map[string][]string, ok bool) {
	why = map[string][]string{}
	var fit []pool.Machine
	for _, m := range machines {
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
