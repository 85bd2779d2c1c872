package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"appliance/pool"
)

// newer is the shop with another version of both services, a cache in front of
// the database, and no more than that.
func newer() pool.ApplicationOptions {
	o := shop()
	o.Recipe.Digest = "sha256:shop2"
	for i := range o.Members {
		o.Members[i].Digest += "-2"
	}
	return o
}

func withCache(o pool.ApplicationOptions) pool.ApplicationOptions {
	cache := recipe()
	cache.Name, cache.Application, cache.DependsOn = "shop.cache", "shop", []string{"db"}
	web := o.Members[0]
	web.DependsOn = []string{"db", "cache"}
	o.Recipe.Digest += "+cache"
	web.Digest += "+cache"
	o.Members = []pool.RecipeInfo{web, o.Members[1], cache}
	return o
}

func (w *world) appUpdate(s pool.RolloutStage) func() bool {
	return func() bool { u := w.mem.apps["shop"].Update; return u != nil && u.Stage == s }
}

func (w *world) shopIs(t *testing.T) string {
	t.Helper()
	w.mem.mu.Lock()
	defer w.mem.mu.Unlock()
	var out []string
	for _, name := range slices.Sorted(maps.Keys(w.mem.services)) {
		if s := w.mem.services[name]; s.Phase != pool.ServiceRemoved {
			out = append(out, fmt.Sprintf("%s %s %s after %v", name, s.Phase, s.Recipe.Digest, s.DependsOn))
		}
	}
	return strings.Join(out, "; ")
}

// TestUpdateApplication: services go one after the other, what is new is
// deployed after what it depends on, what is gone is removed at the end.
func TestUpdateApplication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := newRoom(3)
		w.mem.check = invariants
		w.start(ctx, t)
		e := w.engine.Load()
		if _, err := e.DeployApplication(ctx, shop()); err != nil {
			t.Fatal(err)
		}
		w.until(t, "running", w.appPhase("shop", pool.ServiceRunning))
		next := withCache(newer())
		p, err := e.PlanApplicationUpdate(ctx, next)
		if err != nil || len(p.Problems) > 0 || len(p.Services) != 3 {
			t.Fatalf("plan = %+v, %v", p, err)
		}
		next.Plan = "sha256:stale"
		if _, err := e.UpdateApplication(ctx, next); !errors.Is(err, pool.ErrConflict) || !strings.Contains(err.Error(), "stale") {
			t.Errorf("a stale plan = %v", err)
		}
		next.Plan = p.Digest
		if _, err := e.UpdateApplication(ctx, next); err != nil {
			t.Fatal(err)
		}
		if _, err := e.UpdateApplication(ctx, newer()); !errors.Is(err, pool.ErrConflict) {
			t.Errorf("a second update = %v", err)
		}
		w.until(t, "updated", w.appUpdate(pool.RolloutDone))
		want := "shop.cache running sha256:11 after [shop.db]; shop.db running sha256:11-2 after []; shop.web running sha256:11-2+cache after [shop.db shop.cache]"
		if got := w.shopIs(t); got != want || fmt.Sprint(w.mem.apps["shop"].Services) != "[shop.db shop.cache shop.web]" {
			t.Errorf("got %s, services %v; want %s", got, w.mem.apps["shop"].Services, want)
		}
		db, web := w.when(t, "rollout.done", "shop.db", ""), w.when(t, "rollout.started", "shop.web", "")
		if web.Before(db) {
			t.Errorf("web went at %s, before the database was done at %s", web, db)
		}
		back := newer()
		back.Recipe.Digest = "sha256:shop3"
		if _, err := e.UpdateApplication(ctx, back); err != nil {
			t.Fatal(err)
		}
		w.until(t, "without the cache", w.appUpdate(pool.RolloutRolling))
		w.until(t, "updated", w.appUpdate(pool.RolloutDone))
		if got := w.shopIs(t); strings.Contains(got, "cache") {
			t.Errorf("the cache is there still: %s", got)
		}
		stop()
		w.join()
		if w.mem.broken != nil {
			t.Error(w.mem.broken)
		}
	})
}

// TestUpdateApplicationGoesBack: what fails in one service takes all back.
func TestUpdateApplicationGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := newRoom(3)
		w.mem.check = invariants
		w.start(ctx, t)
		e := w.engine.Load()
		if _, err := e.DeployApplication(ctx, shop()); err != nil {
			t.Fatal(err)
		}
		w.until(t, "running", w.appPhase("shop", pool.ServiceRunning))
		before := w.shopIs(t)
		next := withCache(newer())
		next.Members[0].Events = append(slices.Clone(next.Members[0].Events), "postInstall") // of web
		w.setFail("postInstall")
		if _, err := e.UpdateApplication(ctx, next); err != nil {
			t.Fatal(err)
		}
		w.until(t, "undone", w.appUpdate(pool.RolloutUndone))
		if got := w.shopIs(t); got != before {
			t.Errorf("got %s, want %s", got, before)
		}
		if a := w.mem.apps["shop"]; a.Recipe.Digest != "" || a.Update.Cause == nil || fmt.Sprint(a.Services) != "[shop.db shop.web]" {
			t.Errorf("application %+v, cause %+v", a.Services, a.Update.Cause)
		}
		w.setFail("")
		if _, err := e.UpdateApplication(ctx, newer()); err != nil {
			t.Fatal(err)
		}
		if _, err := e.UndoApplication(ctx, "shop", "eve"); err != nil {
			t.Fatal(err)
		}
		w.until(t, "undone on demand", func() bool {
			u := w.mem.apps["shop"].Update
			return u.Stage == pool.RolloutUndone && u.To.Digest == "sha256:shop2"
		})
		if got := w.shopIs(t); got != before {
			t.Errorf("after undo: %s, want %s", got, before)
		}
		stop()
		w.join()
	})
}

// wholeShop deploys, updates and removes the shop on two machines.
func wholeShop(t *testing.T, f fault) (end string, w *world) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w = newRoom(2)
		w.mem.check = invariants
		w.start(ctx, t)
		w.mem.mu.Lock()
		w.mem.points, w.mem.fault = nil, f
		w.mem.mu.Unlock()
		ask := func(what string, seen func() bool, do func(*Engine) error) {
			w.until(t, what, func() bool {
				if seen() {
					return true
				}
				w.mem.mu.Unlock()
				defer w.mem.mu.Lock()
				_ = do(w.engine.Load()) // a killed appliance answers nothing: asked again
				return false
			})
		}
		ask("deployed", func() bool { return w.mem.apps["shop"].Name != "" }, func(e *Engine) error {
			_, err := e.DeployApplication(ctx, shop())
			return err
		})
		w.until(t, "running", w.appPhase("shop", pool.ServiceRunning))
		ask("updating", func() bool { return w.mem.apps["shop"].Update != nil }, func(e *Engine) error {
			_, err := e.UpdateApplication(ctx, newer())
			return err
		})
		w.until(t, "updated", w.appUpdate(pool.RolloutDone))
		ask("removing", func() bool { return w.mem.apps["shop"].Phase != pool.ServiceRunning }, func(e *Engine) error {
			_, err := e.RemoveApplication(ctx, "shop", true, "eve")
			return err
		})
		w.until(t, "removed", w.appPhase("shop", pool.ServiceRemoved))
		w.until(t, "both ready", func() bool {
			for _, m := range w.mem.machines {
				if m.Phase != pool.Ready {
					return false
				}
			}
			return true
		})
		time.Sleep(2 * time.Minute) // nothing comes after
		stop()
		w.join()
		end = w.shopEnd()
	})
	return end, w
}

// shopEnd is what a run leaves: rows, and how often each event ran.
func (w *world) shopEnd() string {
	var out []string
	for _, m := range w.mem.machines {
		out = append(out, fmt.Sprintf("machine %s %q %d", m.Phase, m.Instance, m.Epoch))
	}
	runs := map[string]int{}
	for _, n := range w.all() {
		for e, k := range n.runs {
			runs[e] += k
		}
	}
	for _, s := range w.mem.services {
		out = append(out, fmt.Sprintf("service %s %s %d", s.Name, s.Phase, s.Revision))
	}
	for _, in := range w.mem.instances {
		out = append(out, fmt.Sprintf("instance %s/%d %s %d", in.Service, in.Number, in.Phase, in.Revision))
	}
	a := w.mem.apps["shop"]
	out = append(out, fmt.Sprintf("application %s %s %s", a.Phase, a.Recipe.Digest, a.Update.Stage), fmt.Sprint(runs), fmt.Sprint(w.mem.broken))
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// TestApplicationKilledAtEachCommit kills the appliance, and fails its store,
// at every commit of an application's deployment, update and removal.
func TestApplicationKilledAtEachCommit(t *testing.T) {
	want, w := wholeShop(t, fault{})
	names := w.mem.points
	if len(names) < 80 || w.mem.broken != nil {
		t.Fatalf("%d commits, %v", len(names), w.mem.broken)
	}
	for n, name := range names {
		modes := []string{"kill-before", "kill-after", "fail-before", "fail-after"}
		if testing.Short() {
			modes = modes[n%4 : n%4+1]
		}
		for _, mode := range modes {
			t.Run(fmt.Sprintf("%d/%s", n+1, mode), func(t *testing.T) {
				got, w := wholeShop(t, fault{at: n + 1, mode: mode})
				if !w.mem.hit {
					t.Fatalf("fault %d was never met", n+1)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("at %q: the end differs (-undisturbed +killed):\n%s\n%s", name, diff, w.story())
				}
			})
		}
	}
}

// TestAbandonApplication: nothing is asked of the machines, also when the
// removal hangs.
func TestAbandonApplication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := newRoom(2)
		w.mem.check = invariants
		w.start(ctx, t)
		e := w.engine.Load()
		if _, err := e.DeployApplication(ctx, shop()); err != nil {
			t.Fatal(err)
		}
		w.until(t, "running", w.appPhase("shop", pool.ServiceRunning))
		if _, err := e.RemoveApplication(ctx, "shop", false, "eve"); err != nil {
			t.Fatal(err)
		}
		if _, err := e.AbandonApplication(ctx, "shop", "eve"); err != nil {
			t.Fatal(err)
		}
		w.until(t, "gone", w.appPhase("shop", pool.ServiceRemoved))
		for _, m := range w.mem.machines {
			if m.Instance != "" || !m.Conditions.Is(pool.CondHold) || !m.Conditions.Is(pool.CondProtected) {
				t.Errorf("machine %s: %q %v", m.Name, m.Instance, m.Conditions)
			}
		}
		for _, s := range w.mem.services {
			if len(s.Remains) == 0 {
				t.Errorf("service %s says that nothing may remain", s.Name)
			}
		}
		stop()
		w.join()
	})
}

// TestMaintainApplication: maintenance of an application is that of its
// services, and ends with it.
func TestMaintainApplication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := newRoom(2)
		w.start(ctx, t)
		e := w.engine.Load()
		if _, err := e.DeployApplication(ctx, shop()); err != nil {
			t.Fatal(err)
		}
		w.until(t, "running", w.appPhase("shop", pool.ServiceRunning))
		if _, err := e.Maintain(ctx, "shop", "eve", "disks", time.Hour); err != nil {
			t.Fatal(err)
		}
		for _, s := range w.mem.services {
			if !s.Maintenance.Holds(time.Now()) {
				t.Errorf("service %s is not in maintenance", s.Name)
			}
			v := scaleView{now: time.Now(), svc: s}
			v.svc.Instances = 0
			if got := v.held(); got != "the service is in maintenance" {
				t.Errorf("scaling of %s is held by %q", s.Name, got)
			}
		}
		if err := e.Unmaintain(ctx, "shop", "eve"); err != nil {
			t.Fatal(err)
		}
		for _, s := range w.mem.services {
			if s.Maintenance.Holds(time.Now()) {
				t.Errorf("service %s is in maintenance still", s.Name)
			}
		}
		stop()
		w.join()
	})
}

// TestUpdateApplicationThatDoesNotFit: what the machines of a service will
// never do for takes the application back at once, and says so.
func TestUpdateApplicationThatDoesNotFit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := newRoom(3)
		w.mem.check = invariants
		w.mem.templates = append(w.mem.templates, pool.Template{Name: "DB", Storage: []pool.StorageTemplate{{Name: "DATA", Path: "/srv/data", Size: 5 << 30}}})
		w.start(ctx, t)
		e := w.engine.Load()
		o, next := shop(), newer()
		for i := range o.Members {
			o.Members[i].Template, next.Members[i].Template, next.Members[i].Storage = "DB", "DB", "DATA"
		}
		if _, err := e.DeployApplication(ctx, o); err != nil {
			t.Fatal(err)
		}
		w.until(t, "running", w.appPhase("shop", pool.ServiceRunning))
		if _, err := e.UpdateApplication(ctx, next); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		w.mem.mu.Lock()
		u := w.mem.apps["shop"].Update
		w.mem.mu.Unlock()
		if u.Stage != pool.RolloutUndone || u.Cause == nil || !strings.Contains(u.Cause.Evidence, "changes instances where they are") {
			t.Errorf("update is %s, cause %+v", u.Stage, u.Cause)
		}
		stop()
		w.join()
	})
}

// TestDowntimeOfAnApplicationUpdate: the time that the appliance was away is
// not the update's.
func TestDowntimeOfAnApplicationUpdate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := newRoom(3)
		w.away = 48 * time.Hour
		w.start(ctx, t)
		if _, err := w.engine.Load().DeployApplication(ctx, shop()); err != nil {
			t.Fatal(err)
		}
		w.until(t, "running", w.appPhase("shop", pool.ServiceRunning))
		w.mem.mu.Lock()
		w.mem.fault = fault{when: func(point string) bool { return strings.Contains(point, "rollout.started") }, mode: "kill-after"}
		w.mem.mu.Unlock()
		if _, err := w.engine.Load().UpdateApplication(ctx, newer()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(52 * time.Hour)
		w.mem.mu.Lock()
		u := w.mem.apps["shop"].Update
		w.mem.mu.Unlock()
		if u.Stage != pool.RolloutDone || w.starts != 2 {
			t.Errorf("update is %s, cause %+v; %d starts", u.Stage, u.Cause, w.starts)
		}
		stop()
		w.join()
	})
}

// TestTimeOfAnApplicationUpdate: each service has the time of its own rollout,
// which counts its instances.
func TestTimeOfAnApplicationUpdate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := newRoom(3)
		w.start(ctx, t)
		if _, err := w.engine.Load().DeployApplication(ctx, shop()); err != nil {
			t.Fatal(err)
		}
		w.until(t, "running", w.appPhase("shop", pool.ServiceRunning))
		next := newer()
		for i := range next.Members {
			next.Members[i].Instances = 100
		}
		app, err := w.engine.Load().UpdateApplication(ctx, next)
		if err != nil {
			t.Fatal(err)
		}
		if has, least := app.Update.Deadline.Sub(app.Update.StartedAt), time.Duration(len(next.Members))*rolloutTime(100); has < least {
			t.Errorf("the update may take %s, its rollouts one after the other %s", has, least)
		}
		stop()
		w.join()
	})
}
