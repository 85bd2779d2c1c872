package orchestrator

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"appliance/pool"
)

// healRun kills the machine of the service and lets the appliance be killed at
// the n-th commit from then on (0: never). It returns where everything ended.
func healRun(t *testing.T, r pool.RecipeInfo, n int, mode string) (end string, points []string) {
	t.Helper()
	rackOf(t, 2, r, func(_ context.Context, w, has *world, others []*world) {
		w.mem.mu.Lock()
		from := len(w.mem.points)
		if n > 0 {
			w.mem.fault = fault{at: from + n, mode: mode}
		}
		w.mem.mu.Unlock()
		has.lose(!r.Stateful)
		w.until(t, "healed", func() bool {
			for _, in := range w.mem.instances {
				if in.Phase != pool.InstanceRunning || in.Heal != nil || in.RunningAt.Before(has.lostAt()) {
					return false
				}
			}
			return w.mem.services["db"].Phase == pool.ServiceRunning
		})
		time.Sleep(2 * time.Minute) // nothing comes after
		w.mem.mu.Lock()
		points = append(points, w.mem.points[from:]...)
		hit := w.mem.hit
		w.mem.mu.Unlock()
		if n > 0 && !hit {
			t.Errorf("fault %d was never met", n)
		}
		var b strings.Builder
		for i, x := range []*world{has, others[0]} {
			m := w.machineOf(x)
			fmt.Fprintf(&b, "machine %d: %s owner %t protected %t hold %t fenced %t on %t; events %v\n", i, m.Phase, m.Instance != "",
				m.Conditions.Is(pool.CondProtected), m.Conditions.Is(pool.CondHold), m.Conditions.Is(pool.CondFenced), x.on, x.runs)
		}
		end = b.String()
	})
	return end, points
}

// TestHealKilledAtEachCommit: an appliance that is killed, or whose store
// fails, at any commit of a recovery ends where an undisturbed one does: no
// event runs twice, no machine leaks, what was lost is protected.
func TestHealKilledAtEachCommit(t *testing.T) {
	for _, r := range []pool.RecipeInfo{stateless(), stateful()} {
		want, points := healRun(t, r, 0, "")
		if len(points) < 15 {
			t.Fatalf("only %d commits: %v", len(points), points)
		}
		for i, name := range points {
			if testing.Short() && i%5 != 0 {
				continue // all of them in make test
			}
			for _, mode := range []string{"kill-before", "kill-after", "fail-after"} {
				t.Run(fmt.Sprintf("stateful=%t/%d/%s", r.Stateful, i+1, mode), func(t *testing.T) {
					got, _ := healRun(t, r, i+1, mode)
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("at %q (-undisturbed +killed):\n%s", name, diff)
					}
				})
			}
		}
	}
}

// TestHealingProperty draws machines that die, links that are cut, BMCs that
// fall silent and appliances that are killed. After each commit one instance
// has one machine, a stateful one never left its own without proof, and what was
// left is protected; once all works again the service runs, or says why not.
func TestHealingProperty(t *testing.T) {
	runs := 24
	if testing.Short() {
		runs = 6
	}
	for seed := range runs {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(uint64(seed), 4)) //nolint:gosec // it draws a test
			r := stateless()
			r.Stateful = seed%2 == 0
			r.Retries = -1
			rackOf(t, 3, r, func(ctx context.Context, w, has *world, others []*world) {
				all := append([]*world{has}, others...)
				for range 12 {
					x := all[rnd.IntN(len(all))]
					switch rnd.IntN(6) {
					case 0:
						x.lose(rnd.IntN(2) == 0)
					case 1:
						x.set(func() { x.cut = true })
					case 2:
						x.set(func() { x.bmcDown = true })
					case 3:
						w.engine.Load().Store.(*handle).kill()
					case 4:
						x.reboot()
					case 5:
						x.set(func() { x.cut, x.bmcDown, x.dead = false, false, false })
						x.power(true)
					}
					time.Sleep(time.Duration(rnd.IntN(120)) * time.Second)
				}
				for _, x := range all {
					x.set(func() { x.cut, x.bmcDown, x.dead = false, false, false })
					x.power(true)
				}
				_, _ = w.engine.Load().ResumeHealing(ctx, "eve") // if it was stopped
				time.Sleep(2 * time.Hour)
				synctest.Wait()
				if s := w.mem.services["db"]; s.Phase != pool.ServiceRunning && (s.Cause == nil || s.Cause.Remedy == "") {
					t.Errorf("service %s with cause %+v\n%s", s.Phase, s.Cause, w.story())
				}
			})
		})
	}
}
