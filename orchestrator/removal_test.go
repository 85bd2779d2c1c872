package orchestrator

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"appliance/pool"
)

// TestRemovalStopsWhatRuns: however an instance came to run, it is stopped by
// its recipe before its machine goes back, and the removal ends.
func TestRemovalStopsWhatRuns(t *testing.T) {
	report := func(ctx context.Context, t *testing.T, w *world) {
		in := w.one()
		if err := w.engine.Load().Watched(ctx, pool.WatchReport{Machine: in.Machine, Watch: in.Watch, State: pool.WatchStopped, Why: "x", At: time.Now()}); err != nil {
			t.Fatalf("Watched: %v", err)
		}
	}
	for _, tt := range []struct {
		name   string
		before func(ctx context.Context, t *testing.T, w, has *world)
	}{
		{"relaunched", func(ctx context.Context, t *testing.T, w, has *world) {
			report(ctx, t, w)
			w.until(t, "running", w.service(pool.ServiceRunning))
		}},
		{"relaunching", func(ctx context.Context, t *testing.T, w, has *world) { report(ctx, t, w) }},
		{"begun anew", func(ctx context.Context, t *testing.T, w, has *world) {
			has.set(func() { has.failEvent = "start" })
			report(ctx, t, w)
			w.until(t, "failed", w.service(pool.ServiceFailed))
			has.set(func() { has.failEvent = "" })
			w.until(t, "running", w.service(pool.ServiceRunning))
		}},
		{"failed to start anew", func(ctx context.Context, t *testing.T, w, has *world) {
			has.set(func() { has.failEvent = "start" })
			report(ctx, t, w)
			w.until(t, "failed", w.service(pool.ServiceFailed))
		}},
		{"being updated", func(ctx context.Context, t *testing.T, w, has *world) {
			if _, err := w.engine.Load().Update(ctx, "db", pool.UpdateOptions{Recipe: changed(2), By: "eve"}); err != nil {
				t.Fatalf("Update: %v", err)
			}
			w.until(t, "stopping", func() bool {
				for _, in := range w.mem.instances {
					return in.Phase == pool.InstanceStopping
				}
				return false
			})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := stateful()
			r.Retries = 1
			rackOf(t, 1, r, func(ctx context.Context, w, has *world, _ []*world) {
				tt.before(ctx, t, w, has)
				before := len(has.ran)
				if _, err := w.engine.Load().Remove(ctx, "db", true, "eve"); err != nil {
					t.Fatalf("Remove: %v\n%s", err, w.story())
				}
				w.until(t, "removed", w.service(pool.ServiceRemoved))
				if ran := strings.Join(has.ran[before:], " "); !strings.HasSuffix(ran, "stop shutdown") {
					t.Errorf("it ran %q, want stop and shutdown\n%s", ran, w.story())
				}
			})
		})
	}
}

// TestUpdateLeavesWhatGoes: what is scaled in is not brought up again by an
// update that begins meanwhile.
func TestUpdateLeavesWhatGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := newRoom(3)
		w.mem.check = invariants
		w.start(ctx, t)
		r := recipe()
		r.Max, r.Elastic = 10, true
		if _, err := w.engine.Load().Deploy(ctx, pool.DeployOptions{Name: "db", Recipe: r, Instances: 3, By: "eve"}); err != nil {
			t.Fatal(err)
		}
		w.until(t, "running", w.service(pool.ServiceRunning))
		if _, err := w.engine.Load().Scale(ctx, "db", 2, true, "eve"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.engine.Load().Update(ctx, "db", pool.UpdateOptions{Recipe: changed(2), By: "eve"}); err != nil {
			t.Fatal(err)
		}
		w.until(t, "done", w.rollout(pool.RolloutDone))
		if n := len(w.revisions()); n != 2 {
			t.Errorf("%d instances, want 2\n%s", n, w.story())
		}
		stop()
		w.join()
		if w.mem.broken != nil {
			t.Error(w.mem.broken)
		}
	})
}

// TestMachineLostDuringUpdate: what is lost while a service is updated is
// healed first, at the revision that it ran; then the update goes on.
func TestMachineLostDuringUpdate(t *testing.T) {
	for _, tt := range []struct {
		name string
		when func(w *world, machine string) bool
	}{
		{"before its turn", func(w *world, machine string) bool {
			for _, in := range w.mem.instances {
				if in.Machine != machine && in.Next != 0 {
					return true
				}
			}
			return false
		}},
		{"while it is taken down", func(w *world, machine string) bool {
			for _, in := range w.mem.instances {
				if in.Machine == machine && in.Phase == pool.InstanceStopping {
					return true
				}
			}
			return false
		}},
		{"while it is brought up", func(w *world, machine string) bool {
			for _, in := range w.mem.instances {
				if in.Machine == machine && in.Phase == pool.InstanceInstalling {
					return true
				}
			}
			return false
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := stateful()
			r.Instances = 2
			rackOf(t, 2, r, func(ctx context.Context, w, has *world, others []*world) {
				lost := others[0] // instance 2
				machine := w.machineOf(lost).ID
				n := changed(2)
				n.Stateful = true
				if _, err := w.engine.Load().Update(ctx, "db", pool.UpdateOptions{Recipe: n, By: "eve"}); err != nil {
					t.Fatalf("Update: %v", err)
				}
				w.until(t, "it is time", func() bool { return tt.when(w, machine) })
				lost.lose(true) // until somebody repairs it
				time.Sleep(20 * time.Minute)
				lost.set(func() { lost.dead = false })
				lost.power(true)
				w.until(t, "ended", func() bool {
					return !w.mem.services["db"].Rollout.Open() && w.mem.services["db"].Phase != pool.ServiceRecovering
				})
				svc := w.mem.services["db"]
				if svc.Rollout.Stage != pool.RolloutDone || svc.Phase != pool.ServiceRunning || w.eventAt("instance.healed").IsZero() {
					t.Errorf("service %s, rollout %s (%v)\n%s", svc.Phase, svc.Rollout.Stage, svc.Rollout.Cause, w.story())
				}
				for _, in := range w.mem.instances {
					if in.Revision != 2 || in.Next != 0 || in.Heal != nil {
						t.Errorf("instance %d is at revision %d, next %d, heal %v", in.Number, in.Revision, in.Next, in.Heal)
					}
				}
			})
		})
	}
}
