package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"appliance/pool"
)

// TestFullDiskDelays: while nothing can be stored nothing is begun, each
// request is refused with the reason, and when there is room again the
// deployment goes on where it was: no lifecycle event runs twice.
func TestFullDiskDelays(t *testing.T) {
	for _, at := range []string{stepFacts, stepWipe, stepImage, stepReboot, stepPrepare, "install", "start"} {
		t.Run(at, func(t *testing.T) {
			filled := 0
			fill := func(w *world) {
				w.onTask = func(s pool.Step) bool {
					w.mem.mu.Lock()
					defer w.mem.mu.Unlock()
					if s.Name == at && filled == 0 {
						filled++
						w.mem.full = true
						time.AfterFunc(4*time.Minute, func() { w.mem.mu.Lock(); w.mem.full = false; w.mem.mu.Unlock() })
					}
					return false
				}
			}
			live(t, fill, func(ctx context.Context, w *world) {
				deployDB(ctx, t, w)
				if at != stepFacts && at != stepWipe {
					w.until(t, "full disk", func() bool { return w.mem.full })
					_, err := w.engine.Load().Deploy(ctx, pool.DeployOptions{Name: "other", Recipe: recipe(), By: "eve"})
					if !errors.Is(err, pool.ErrUnavailable) {
						t.Errorf("Deploy on a full disk = %v, want ErrUnavailable", err)
					}
				}
				w.until(t, "running", w.service(pool.ServiceRunning))
				if filled != 1 {
					t.Fatal("the disk was never full")
				}
				for event, n := range w.runs {
					if n != 1 {
						t.Errorf("%s ran %d times\n%s", event, n, w.story())
					}
				}
				if _, ok := w.mem.services["other"]; ok {
					t.Error("a refused deployment left its service")
				}
			})
		})
	}
}

// TestDamagedImage: the agent's cause is the deployment's and the service's,
// in the agent's words; the machine stays where a retry or a removal reaches it.
func TestDamagedImage(t *testing.T) {
	damaged := &pool.Cause{Code: "image.damaged", Message: "Frame 7 of image debian-12 is damaged.", Evidence: "fetched three times",
		Remedy: "Import the image again, then deploy again."}
	live(t, func(w *world) { w.damaged = damaged }, func(ctx context.Context, w *world) {
		deployDB(ctx, t, w)
		w.until(t, "failed", w.service(pool.ServiceFailed))
		op, m := w.lastOp(), w.only()
		if op.Cause == nil || op.Cause.Code != damaged.Code || op.Cause.Message != damaged.Message || op.Cause.Remedy != damaged.Remedy {
			t.Errorf("cause of %s: %+v, want %+v", op.Kind, op.Cause, damaged)
		}
		if c := w.mem.services["db"].Cause; c == nil || c.Code != damaged.Code {
			t.Errorf("cause of the service: %+v", c)
		}
		if m.Phase != pool.Reserved || !m.Conditions.Is(pool.CondDirty) {
			t.Errorf("the machine is %s with %v, want reserved and dirty", m.Phase, m.Conditions)
		}
		if !strings.Contains(w.story(), damaged.Message) {
			t.Errorf("the events do not tell of it:\n%s", w.story())
		}
		w.mu.Lock()
		w.damaged = nil // it was imported again
		w.mu.Unlock()
		if err := w.engine.Load().Retry(ctx, "db", "eve"); err != nil {
			t.Fatalf("Retry: %v", err)
		}
		w.until(t, "running", w.service(pool.ServiceRunning))
	})
}

// TestNoFreeMachine: who asks in vain is told of each machine what it lacks.
func TestNoFreeMachine(t *testing.T) {
	live(t, func(w *world) { w.disk, w.rules = "old", []AcceptRule{{Name: "all"}} }, func(ctx context.Context, w *world) {
		w.until(t, "enrolled", w.phase(pool.Enrolled))
		_, err := w.engine.Load().Deploy(ctx, pool.DeployOptions{Name: "db", Recipe: recipe(), By: "eve"})
		name := w.only().Name
		if want := fmt.Sprintf("wants 1 free machine for template SMALL_LINUX, none fits: %s fits, but is enrolled and protected", name); !errors.Is(err, pool.ErrUnavailable) || !strings.Contains(err.Error(), want) {
			t.Errorf("Deploy = %v, want %q", err, want)
		}
		_, err = w.engine.Load().Deploy(ctx, pool.DeployOptions{Name: "db", Recipe: recipe(), Template: "LARGE_LINUX", Instances: 2, By: "eve"})
		if want := fmt.Sprintf("wants 2 free machines for template LARGE_LINUX, none fits: %s has 2 cores, wants 16 and has 2.0 GiB of memory, wants 64.0 GiB and no disk matches size>=200.0 GiB", name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Deploy = %v, want %q", err, want)
		}
		if len(w.mem.services) != 0 || len(w.mem.instances) != 0 {
			t.Errorf("refused deployments left %v, %v", w.mem.services, w.mem.instances)
		}
	})
}

// TestProgressIsNoHello: an agent that goes on with its task while the
// appliance is killed and started again tells the new one how far it is before
// it says hello. It is asked for its hello, and gets its next task.
func TestProgressIsNoHello(t *testing.T) {
	kill := func(w *world) {
		killed := false
		w.onTask = func(s pool.Step) bool {
			if s.Name == "install" && !killed {
				killed = true
				w.engine.Load().Store.(*handle).kill()
				time.Sleep(5 * time.Second) // until it has been started again
			}
			return false
		}
	}
	live(t, kill, func(ctx context.Context, w *world) {
		deployDB(ctx, t, w)
		w.until(t, "running", w.service(pool.ServiceRunning))
		if w.starts != 2 || w.times("install") != 1 {
			t.Errorf("%d starts of the appliance, %d of install; want 2 and 1", w.starts, w.times("install"))
		}
	})
}
