package orchestrator

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"appliance/pool"
)

// TestHoldIsLifted: a machine that was given up is held back; a person's
// release brings it into the pool again.
func TestHoldIsLifted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := deployed(ctx, t, 1, 0)
		e := w.engine.Load()
		if _, err := e.Abandon(ctx, "db", "eve"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		m := w.only()
		if m.Phase != pool.Enrolled || !m.Conditions.Is(pool.CondHold) {
			t.Fatalf("machine is %s, %v", m.Phase, m.Conditions)
		}
		if _, err := e.Release(ctx, m.ID, "eve", pool.ReleaseOptions{Wipe: true, Serials: []string{w.serial()}}); err != nil {
			t.Fatal(err)
		}
		w.reboot() // it has no BMC: somebody switches it over
		w.until(t, "ready again", w.phase(pool.Ready))
		if _, err := e.Release(ctx, m.ID, "eve", pool.ReleaseOptions{}); !errors.Is(err, pool.ErrConflict) {
			t.Errorf("release of a ready machine = %v", err)
		}
		stop()
		w.join()
	})
}
