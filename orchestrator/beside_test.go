package orchestrator

import (
	"context"
	"testing"
	"time"

	"appliance/pool"
)

// TestRelaunchBesideFailed: a service with a failed instance is failed again
// once the other one, which was started anew, runs: it asks for a person, and
// recovers from nothing.
func TestRelaunchBesideFailed(t *testing.T) {
	r := stateful()
	r.Instances, r.Retries = 2, 0
	rackOf(t, 2, r, func(ctx context.Context, w, has *world, others []*world) {
		report := func(machine string) {
			t.Helper()
			in := w.instanceAt(machine)
			if err := w.engine.Load().Watched(ctx, pool.WatchReport{Machine: in.Machine, Watch: in.Watch, State: pool.WatchStopped, Why: "x", At: time.Now()}); err != nil {
				t.Fatalf("Watched: %v", err)
			}
		}
		bad := others[0]
		bad.set(func() { bad.failEvent = "start" })
		report(w.machineOf(bad).ID)
		w.until(t, "failed", w.service(pool.ServiceFailed))
		good := w.machineOf(has).ID
		report(good)
		w.until(t, "recovering", w.service(pool.ServiceRecovering))
		w.until(t, "failed again", w.service(pool.ServiceFailed))
		if in := w.instanceAt(good); in.Phase != pool.InstanceRunning || w.mem.services["db"].Cause == nil {
			t.Errorf("instance 1 is %s, the service's cause %v\n%s", in.Phase, w.mem.services["db"].Cause, w.story())
		}
		bad.set(func() { bad.failEvent = "" })
		if err := w.engine.Load().Retry(ctx, "db", "eve"); err != nil {
			t.Fatalf("Retry: %v", err)
		}
		w.until(t, "running", w.service(pool.ServiceRunning))
	})
}

// instanceAt is the instance that a machine has.
func (w *world) instanceAt(machine string) pool.Instance {
	w.mem.mu.Lock()
	defer w.mem.mu.Unlock()
	for _, in := range w.mem.instances {
		if in.Machine == machine && in.Phase != pool.InstanceRemoved {
			return in
		}
	}
	return pool.Instance{}
}
