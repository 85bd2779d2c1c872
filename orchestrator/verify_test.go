package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"appliance/pool"
)

func verifying() pool.RecipeInfo {
	r := recipe()
	r.Verify = true
	return r
}

// cutOff is a machine whose power is cut while init runs, on a service whose
// recipe answers verify as it is told.
func cutOff(ctx context.Context, t *testing.T, answer string, f fault) *world {
	t.Helper()
	w := newWorld()
	w.disk, w.begun, w.verify = "old", map[string]string{}, answer
	w.mem.check, w.mem.fault = invariants, f
	cut := false
	w.onTask = func(s pool.Step) bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		if cut || s.Name != "init" || s.Verifying {
			return false
		}
		cut = true
		w.runs["init"]++ // its effect is there; nobody recorded it
		return true
	}
	w.serve(ctx)
	w.power(true)
	w.until(t, "ready", w.phase(pool.Ready))
	w.until(t, "deploy", func() bool {
		if _, ok := w.mem.services["db"]; ok {
			return true
		}
		w.mem.mu.Unlock()
		defer w.mem.mu.Lock()
		_, _ = w.engine.Load().Deploy(ctx, pool.DeployOptions{Name: "db", Recipe: verifying(), By: "eve"}) // a killed appliance answers nothing: asked again
		return false
	})
	return w
}

// TestVerify: what was cut off and may not run twice is decided by the recipe:
// done, again, or by a person.
func TestVerify(t *testing.T) {
	for _, tt := range []struct {
		answer string
		ran    int  // init, its cut try included
		person bool // waits for one
	}{{"true", 1, false}, {"false", 2, false}, {"throws", 2, true}, {`"maybe"`, 2, true}, {"null", 1, true}} {
		t.Run(tt.answer, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithCancel(t.Context())
				w := cutOff(ctx, t, tt.answer, fault{})
				if tt.person && tt.ran == 1 { // it is taken as done
					w.until(t, "failed", w.service(pool.ServiceFailed))
					if _, err := w.engine.Load().TakeAsDone(ctx, "db", "eve"); err != nil {
						t.Fatalf("TakeAsDone: %v", err)
					}
					if _, err := w.engine.Load().TakeAsDone(ctx, "db", "eve"); !errors.Is(err, pool.ErrConflict) {
						t.Errorf("TakeAsDone of nothing = %v", err)
					}
				} else if tt.person {
					w.until(t, "failed", w.service(pool.ServiceFailed))
					if c := w.mem.services["db"].Cause; c == nil || c.Code != "step.interrupted" {
						t.Errorf("cause %+v", c)
					}
					if w.times("init") != 1 {
						t.Errorf("init ran %d times before anybody decided", w.times("init"))
					}
					if err := w.engine.Load().Retry(ctx, "db", "eve"); err != nil {
						t.Fatalf("Retry: %v", err)
					}
				}
				w.until(t, "running", w.service(pool.ServiceRunning))
				if w.times("init") != tt.ran || w.times("verify") != 1 || w.times("install") != 1 {
					t.Errorf("init ran %d times, verify %d, install %d; want %d, 1, 1\n%s", w.times("init"), w.times("verify"), w.times("install"), tt.ran, w.story())
				}
				stop()
				w.wg.Wait()
			})
		})
	}
}

// TestVerifyKilledAtEachCommit kills the appliance, and fails its store, at
// every commit from the interruption to the running service.
func TestVerifyKilledAtEachCommit(t *testing.T) {
	for _, tt := range []struct {
		answer string
		ran    int
	}{{"true", 1}, {"false", 2}} {
		var points []string
		whole := func(t *testing.T, f fault) {
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithCancel(t.Context())
				w := cutOff(ctx, t, tt.answer, f)
				w.until(t, "running", w.service(pool.ServiceRunning))
				if f.at > 0 && !w.mem.hit {
					t.Fatalf("fault %d was never met", f.at)
				}
				if w.times("init") != tt.ran || w.times("install") != 1 || w.mem.broken != nil {
					t.Errorf("init ran %d times, want %d; install %d; invariant: %v\n%s", w.times("init"), tt.ran, w.times("install"), w.mem.broken, w.story())
				}
				points = w.mem.points
				stop()
				w.wg.Wait()
			})
		}
		whole(t, fault{})
		names := points
		from := 0
		for i, n := range names {
			if n == "step.interrupted init, step.started init" {
				from = i
			}
		}
		if from == 0 {
			t.Fatalf("no commit of the question: %q", names)
		}
		for n := from; n < len(names); n++ {
			for _, mode := range []string{"kill-before", "kill-after", "fail-before", "fail-after"} {
				t.Run(fmt.Sprintf("%s/%d/%s", tt.answer, n+1, mode), func(t *testing.T) { whole(t, fault{at: n + 1, mode: mode}) })
			}
		}
	}
}
