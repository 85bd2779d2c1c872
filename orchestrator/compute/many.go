package compute

import (
	"fmt"
	"slices"

	"appliance/pool"
)

// ChooseMany returns the n machines that n calls of Choose would return one
// after the other, best first, and for every other machine why it is not
// free for t. It looks at each machine once.
func (s Set) ChooseMany(t pool.Template, machines []pool.Machine, n int) (best []pool.Machine, why map[string][]string) {
	why = map[string][]string{}
	var by pool.Driver
	for _, kind := range t.Wants() {
		d := s.Of(kind)
		if d == nil {
			continue
		}
		fit, no := rank(d, t, machines, n-len(best))
		for id, reasons := range no {
			why[id] = reasons
		}
		take := min(n-len(best), len(fit))
		if take > 0 {
			by = kind
		}
		best = append(best, fit[:take]...)
		for _, m := range fit[take:] {
			if kind != by && by != "" {
				why[m.ID] = []string{fmt.Sprintf("would do, but template %s prefers %s", t.Name, by)}
			}
		}
	}
	for i := range machines {
		m := &machines[i]
		if t.Prefers(m.Driver) < 0 {
			why[m.ID] = t.Match(*m)
		} else if s.Of(m.Driver) == nil {
			why[m.ID] = []string{fmt.Sprintf("is of driver %s, which this appliance has not", m.Driver.Or())}
		}
	}
	return best, why
}

// rank returns the machines of a driver that are free for t, best first; of
// drivers other than Metal at least the n best.
func rank(d Driver, t pool.Template, machines []pool.Machine, n int) (fit []pool.Machine, why map[string][]string) {
	if _, ok := d.(Metal); !ok {
		left := slices.Clone(machines)
		for {
			m, no, ok := d.Choose(t, left)
			if why = no; !ok || len(fit) >= n {
				return fit, why
			}
			fit = append(fit, m)
			m.Phase = pool.Reserved
			if i := slices.IndexFunc(left, func(o pool.Machine) bool { return m.ID != "" && o.ID == m.ID }); i >= 0 {
				left[i] = m
			} else { // it is still to be made
				left = append(left, m)
			}
		}
	}
	why = map[string][]string{}
	for i := range machines {
		m := &machines[i]
		if m.Driver.Or() != d.Kind() {
			continue
		}
		no := t.Match(*m)
		switch {
		case len(no) > 0:
			why[m.ID] = no
		case m.Phase != pool.Ready:
			why[m.ID] = []string{busy(*m)}
		default:
			fit = append(fit, *m)
		}
	}
	slices.SortFunc(fit, bySize)
	return fit, why
}
