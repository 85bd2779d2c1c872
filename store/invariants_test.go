package store_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"appliance/pool"
	"appliance/store"
)

// TestInvariantsHold throws changes, sane and insane, at two machines. What
// the store lets through never breaks an invariant: one open operation per
// machine (1), none without a deadline (2), ready means clean and wiped (5).
// What it refuses changes nothing.
func TestInvariantsHold(t *testing.T) {
	db := open(t, t.TempDir())
	round, applied, refused := 0, 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		var ids []string
		for n := range 2 {
			m, err := db.Discover(t.Context(), pool.MAC{2, byte(n), 0, 0, byte(round >> 8), byte(round)}, pool.Client{}, time.Now())
			if err != nil {
				rt.Fatal(err)
			}
			ids = append(ids, m.ID)
		}
		for range rapid.IntRange(1, 12).Draw(rt, "changes") {
			id := rapid.SampledFrom(ids).Draw(rt, "machine")
			c := drawChange(t, rt, db, id)
			before, err := db.Machine(t.Context(), id)
			if err != nil {
				rt.Fatal(err)
			}
			switch err := db.Apply(t.Context(), c); {
			case err == nil:
				applied++
			case errors.Is(err, pool.ErrConflict) || errors.Is(err, pool.ErrInvalid):
				refused++
				if after, err := db.Machine(t.Context(), before.ID); err != nil || after.Rev != before.Rev || after.Phase != before.Phase {
					rt.Fatalf("a refused change left %s rev %d, %v", after.Phase, after.Rev, err)
				}
			default:
				rt.Fatal(err)
			}
			for _, id := range ids {
				wantInvariants(t, rt, db, id)
			}
		}
	})
	if applied == 0 || refused == 0 {
		t.Errorf("%d applied and %d refused: the draw is one-sided", applied, refused)
	}
}

// drawChange draws what an engine, right or wrong, may want of a machine.
func drawChange(t *testing.T, rt *rapid.T, db *store.DB, id string) *pool.Change {
	m, err := db.Machine(t.Context(), id)
	if err != nil {
		rt.Fatal(err)
	}
	m.Phase = rapid.SampledFrom(append(pool.Phases(), m.Phase, m.Phase, m.Phase)).Draw(rt, "phase")
	m.Epoch += rapid.Int64Range(-1, 1).Draw(rt, "epoch")
	m.Rev -= int64(rapid.SampledFrom([]int{0, 0, 0, 0, 1}).Draw(rt, "stale"))
	if rapid.Bool().Draw(rt, "facts") {
		m.Facts = &pool.Facts{Disks: []pool.Disk{{Serial: "A", Size: 1}, {Serial: "B", Size: 1}}}
	}
	if rapid.Bool().Draw(rt, "clean") {
		m.Conditions = m.Conditions.Without(pool.CondDirty)
	} else {
		m.Conditions = m.Conditions.With(pool.CondDirty, pool.True, "drawn", time.Now())
	}
	c := &pool.Change{Machines: []*pool.Machine{&m}}
	for _, serial := range []string{"A", "B"} {
		if rapid.Bool().Draw(rt, "record") {
			c.Wipes = append(c.Wipes, &pool.WipeRecord{Machine: id, Serial: serial, Used: rapid.IntRange(0, 3).Draw(rt, "used") == 0})
		}
	}
	op, err := db.OpenOperation(t.Context(), id)
	if errors.Is(err, pool.ErrNotFound) || rapid.IntRange(0, 3).Draw(rt, "another") == 0 {
		op = pool.Operation{ID: pool.NewID("op"), Machine: id, Kind: rapid.SampledFrom(pool.OpKinds()).Draw(rt, "kind"),
			Status: pool.Queued, Deadline: time.Now().Add(time.Hour)}
	} else {
		op.Status = rapid.SampledFrom([]pool.Status{pool.Running, pool.Succeeded, pool.Failed}).Draw(rt, "status")
	}
	if rapid.IntRange(0, 5).Draw(rt, "no deadline") == 0 {
		op.Deadline = time.Time{}
	}
	if rapid.IntRange(0, 5).Draw(rt, "records only") == 0 {
		c.Machines = nil
	}
	if rapid.Bool().Draw(rt, "operation") {
		c.Operations = append(c.Operations, &op)
	}
	return c
}

func wantInvariants(t *testing.T, rt *rapid.T, db *store.DB, id string) {
	m, err := db.Machine(t.Context(), id)
	if err != nil {
		rt.Fatal(err)
	}
	records, err := db.Wiped(t.Context(), id)
	if err != nil {
		rt.Fatal(err)
	}
	if open := pool.Unwiped(m, func(s string) bool { return records[s] }); m.Phase == pool.Ready &&
		(m.Conditions.Is(pool.CondDirty) || m.Facts == nil || len(open) > 0) {
		rt.Fatalf("ready, dirty %v, facts %v, unwiped %v", m.Conditions.Is(pool.CondDirty), m.Facts, open)
	}
	all, err := db.OpenOperations(t.Context())
	if err != nil {
		rt.Fatal(err)
	}
	open := 0
	for _, o := range all {
		if o.Deadline.IsZero() {
			rt.Fatalf("operation %s has no deadline", o.ID)
		}
		if o.Machine == id {
			open++
		}
	}
	if open > 1 {
		rt.Fatalf("%d operations are open on machine %s", open, id)
	}
}
