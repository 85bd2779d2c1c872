// Package drivertest is the conformance suite of compute drivers: every
// driver, and the fake, keep the same promises to the engine. It starts
// nothing itself; a Rig says what a driver needs.
package drivertest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"appliance/pool"
)

// Driver is what the engine uses of a driver.
type Driver interface {
	Kind() pool.Driver
	Choose(t pool.Template, machines []pool.Machine) (best pool.Machine, why map[string][]string, ok bool)
	Do(ctx context.Context, j pool.Job) (pool.JobResult, error)
}

// Rig is a driver with a pool around it.
type Rig struct {
	Driver Driver
	// Pool holds machines of all drivers; Fits accepts one of this driver's,
	// Never none.
	Pool        []pool.Machine
	Fits, Never pool.Template
	// Machine and Other are two machines that the steps are done on; Up are
	// the driver's own steps that prepare one, Down those that give it back.
	Machine, Other pool.Machine
	Up, Down       []string
	Job            func(step string, m pool.Machine) pool.Job // nil: a plain one
	// Left lists what there is of a machine where the driver puts things.
	Left func(m pool.Machine) []string
}

// Run checks a driver. rig is called anew for each part.
func Run(t *testing.T, rig func(t *testing.T) Rig) {
	t.Run("choose", func(t *testing.T) { choose(t, rig(t)) })
	t.Run("refuse", func(t *testing.T) { refuse(t, rig(t)) })
	t.Run("steps", func(t *testing.T) { steps(t, rig(t)) })
}

// choose: what is chosen is the driver's, free and fits, or is still to be
// made; whatever was not free says why; the pool is not touched; asked again,
// the answer is the same.
func choose(t *testing.T, r Rig) {
	before := clone(r.Pool)
	best, why, ok := r.Driver.Choose(r.Fits, r.Pool)
	if !ok {
		t.Fatalf("nothing was chosen: %v", why)
	}
	if best.Driver.Or() != r.Driver.Kind() {
		t.Errorf("chose a machine of driver %s, the driver is %s", best.Driver.Or(), r.Driver.Kind())
	}
	if best.ID != "" && best.Phase != pool.Ready {
		t.Errorf("chose %s, which is %s", best.ID, best.Phase)
	}
	if no := r.Fits.Match(best); best.ID != "" && len(no) > 0 {
		t.Errorf("chose %s, which %v", best.ID, no)
	}
	for _, m := range r.Pool {
		free := m.Phase == pool.Ready && len(r.Fits.Match(m)) == 0
		if m.Driver.Or() == r.Driver.Kind() && !free && len(why[m.ID]) == 0 {
			t.Errorf("%s was not free, and nobody says why", m.ID)
		}
		if m.ID == best.ID && len(why[m.ID]) > 0 {
			t.Errorf("%s was chosen in spite of %v", m.ID, why[m.ID])
		}
	}
	if !reflect.DeepEqual(clone(r.Pool), before) {
		t.Error("Choose changed the pool")
	}
	again, whyAgain, _ := r.Driver.Choose(r.Fits, r.Pool)
	if !reflect.DeepEqual(best, again) || !reflect.DeepEqual(why, whyAgain) {
		t.Errorf("asked again, Choose says %+v", again)
	}
	if m, _, ok := r.Driver.Choose(r.Never, r.Pool); ok {
		t.Errorf("%q was chosen for what nothing fits", m.ID)
	}
}

func clone(list []pool.Machine) []pool.Machine {
	out := make([]pool.Machine, len(list))
	for i, m := range list {
		out[i] = m.Clone()
	}
	return out
}

// refuse: a step that the driver has not is invalid, and does nothing; an
// ended context ends a step at once.
func refuse(t *testing.T, r Rig) {
	if _, err := r.Driver.Do(t.Context(), r.job("no-such-step", r.Machine)); !errors.Is(err, pool.ErrInvalid) {
		t.Errorf("an unknown step = %v, want %v", err, pool.ErrInvalid)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, s := range append(slices.Clone(r.Up), r.Down...) {
		began := time.Now()
		if _, err := r.Driver.Do(ctx, r.job(s, r.Machine)); err == nil {
			t.Errorf("%s did its work though nobody wants it any more", s)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s took %s to end", s, took)
		}
	}
	if left := r.left(r.Machine); len(left) > 0 {
		t.Errorf("what nobody wanted left %v", left)
	}
}

// steps: each may be done twice; giving back leaves nothing of the machine,
// and everything of another.
func steps(t *testing.T, r Rig) {
	for _, m := range []pool.Machine{r.Machine, r.Other} {
		for _, s := range r.Up {
			for try := range 2 {
				if _, err := r.Driver.Do(t.Context(), r.job(s, m)); err != nil {
					t.Fatalf("%s on %s, time %d: %v", s, m.ID, try+1, err)
				}
			}
		}
		if len(r.Up) > 0 && len(r.left(m)) == 0 {
			t.Errorf("%v made nothing for %s", r.Up, m.ID)
		}
	}
	other := r.left(r.Other)
	for _, s := range r.Down {
		for try := range 2 {
			if _, err := r.Driver.Do(t.Context(), r.job(s, r.Machine)); err != nil {
				t.Fatalf("%s on %s, time %d: %v", s, r.Machine.ID, try+1, err)
			}
		}
	}
	if left := r.left(r.Machine); len(left) > 0 {
		t.Errorf("%v left %v", r.Down, left)
	}
	if now := r.left(r.Other); !slices.Equal(now, other) {
		t.Errorf("giving back %s changed what there is of %s: %v, was %v", r.Machine.ID, r.Other.ID, now, other)
	}
	for _, s := range r.Down {
		if _, err := r.Driver.Do(t.Context(), r.job(s, r.Other)); err != nil {
			t.Errorf("%s on %s: %v", s, r.Other.ID, err)
		}
	}
}

func (r Rig) left(m pool.Machine) []string {
	if r.Left == nil {
		return nil
	}
	return r.Left(m)
}

func (r Rig) job(step string, m pool.Machine) pool.Job {
	if r.Job == nil {
		return pool.Job{Step: step, Machine: m}
	}
	return r.Job(step, m)
}
