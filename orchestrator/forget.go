package orchestrator

import (
	"cmp"
	"slices"

	"appliance/pool"
)

const (
	// keptRounds are the rounds of an instance whose steps are remembered: a
	// service that stops every ten minutes for a year has fifty thousand.
	keptRounds = 10
	// keptRemoved are the removed instances of a service that are remembered: one
	// that is scaled out and in every hour has thousands.
	keptRemoved = 20
)

// newRound begins a round of an instance, and lets go of the steps of old ones.
func (d *draft) newRound(in *pool.Instance) {
	in.Round++
	d.round = in.Round
	if in.Round > keptRounds {
		d.Forgotten = append(d.Forgotten, pool.Forgotten{Service: in.Service, Instance: in.ID, Round: in.Round - keptRounds})
	}
}

// forgetRemoved lets go of instances of a service that were removed long ago.
func (d *draft) forgetRemoved(in *pool.Instance, siblings []*pool.Instance) {
	var old []*pool.Instance
	for _, o := range siblings {
		if o.ID != in.ID && o.Phase == pool.InstanceRemoved {
			old = append(old, o)
		}
	}
	if len(old) < keptRemoved {
		return
	}
	slices.SortFunc(old, func(a, b *pool.Instance) int {
		return cmp.Or(b.UpdatedAt.Compare(a.UpdatedAt), cmp.Compare(a.ID, b.ID))
	})
	for _, o := range old[keptRemoved-1:] {
		d.Forgotten = append(d.Forgotten, pool.Forgotten{Service: o.Service, Instance: o.ID, All: true})
	}
}
