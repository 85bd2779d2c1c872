package compute

import (
	"cmp"
	"slices"
	"strings"

	"appliance/pool"
)

// Hosts chooses among the hosts that already run, in the order they were
// added: the first FREE node, as who brings their own nodes expects.
type Hosts struct{}

// Kind implements Chooser.
func (Hosts) Kind() pool.Driver { return pool.DriverSSH }

// Choose returns the first FREE host that fits t. Hosts of t's own node list
// come before those that serve all templates.
func (Hosts) Choose(t pool.Template, machines []pool.Machine) (best pool.Machine, why map[string][]string, ok bool) {
	_, why, ok = choose(pool.DriverSSH, t, machines)
	if !ok {
		return pool.Machine{}, why, false
	}
	return firstHost(t, machines, why), why, true
}

// firstHost returns the first of the hosts that have no reason against them.
func firstHost(t pool.Template, machines []pool.Machine, why map[string][]string) pool.Machine {
	var free []pool.Machine
	for _, m := range machines {
		if m.Driver.Or() == pool.DriverSSH && len(why[m.ID]) == 0 {
			free = append(free, m)
		}
	}
	own := func(m pool.Machine) int {
		if m.Login != nil && m.Login.Template == t.Name {
			return 0
		}
		return 1
	}
	return slices.MinFunc(free, func(a, b pool.Machine) int {
		return cmp.Or(cmp.Compare(own(a), own(b)), a.CreatedAt.Compare(b.CreatedAt), strings.Compare(a.ID, b.ID))
	})
}
