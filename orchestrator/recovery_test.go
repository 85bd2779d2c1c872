package orchestrator

import (
	"context"
	"errors"
	"testing"
	"time"

	"appliance/pool"
)

// TestDowntimeOfAPowerOn: a chassis that is switched on while the appliance is
// away is waited for: its time to come back is not over.
func TestDowntimeOfAPowerOn(t *testing.T) {
	rackOf(t, 1, stateful(), func(ctx context.Context, w, has *world, _ []*world) {
		w.away = 2 * time.Hour
		has.lose(false)
		w.until(t, "switched on", func() bool {
			for _, in := range w.mem.instances {
				if in.Heal != nil && in.Heal.Stage == pool.HealPowerOn {
					w.mem.fault = fault{when: func(string) bool { return true }, mode: "kill-after"}
					return true
				}
			}
			return false
		})
		w.until(t, "healed", w.service(pool.ServiceRunning))
		fences := 0
		for _, id := range w.mem.opOrder {
			if w.mem.ops[id].Kind == pool.OpFence {
				fences++
			}
		}
		if fences != 1 || w.starts != 2 {
			t.Errorf("fenced %d times, %d starts of the appliance\n%s", fences, w.starts, w.story())
		}
	})
}

// TestNobodyElseWhileAReplicaIsPromoted: a person cannot let the service start
// elsewhere while a replica is being told to take over.
func TestNobodyElseWhileAReplicaIsPromoted(t *testing.T) {
	r := stateful()
	r.Instances, r.Commands = 2, []string{"promote"}
	rackOf(t, 3, r, func(ctx context.Context, w, has *world, others []*world) {
		has.lose(true)
		w.until(t, "promoting", func() bool {
			for _, in := range w.mem.instances {
				if in.Heal != nil && in.Heal.Stage == pool.HealPromoting {
					return true
				}
			}
			return false
		})
		if _, err := w.engine.Load().Recover(ctx, "db", pool.RecoverOptions{WithoutData: true, MachineOff: true, By: "eve"}); !errors.Is(err, pool.ErrConflict) {
			t.Errorf("Recover = %v, want ErrConflict", err)
		}
		w.until(t, "whole again", w.service(pool.ServiceRunning))
	})
}

// TestLostMachineComesBackIntoThePool: once a person has released what was lost
// or given up, it is wiped and used again.
func TestLostMachineComesBackIntoThePool(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(ctx context.Context, t *testing.T, w, has *world)
	}{
		{"replaced", func(_ context.Context, t *testing.T, w, has *world) {
			has.lose(false)
			w.until(t, "replaced", func() bool {
				return w.mem.rowOf(has).Phase == pool.Enrolled && w.mem.services["db"].Phase == pool.ServiceRunning
			})
		}},
		{"given up", func(ctx context.Context, t *testing.T, w, _ *world) {
			if _, err := w.engine.Load().Abandon(ctx, "db", "eve"); err != nil {
				t.Fatalf("Abandon: %v", err)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rackOf(t, 2, stateless(), func(ctx context.Context, w, has *world, _ []*world) {
				tt.end(ctx, t, w, has)
				m := w.machineOf(has)
				if _, err := w.engine.Load().Release(ctx, m.ID, "eve", pool.ReleaseOptions{Wipe: true, Serials: []string{has.serial()}}); err != nil {
					t.Fatalf("Release: %v\n%s", err, w.story())
				}
				w.until(t, "ready again", func() bool { return w.mem.rowOf(has).Phase == pool.Ready })
			})
		})
	}
}
