package orchestrator

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"appliance/orchestrator/compute"
	"appliance/pool"
)

// TestApplication: machines and installations go on at the same time, the
// start waits for the dependency's first instance and is released by it, and
// the removal goes the other way.
func TestApplication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := newRoom(2)
		w.mem.check = invariants
		w.start(ctx, t)
		app, err := w.engine.Load().DeployApplication(ctx, shop())
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(app.Services, " "); got != "shop.db shop.web" {
			t.Errorf("services %s, want the database first", got)
		}
		w.until(t, "running", w.appPhase("shop", pool.ServiceRunning))
		install, runs := w.when(t, "step.started", "shop.web", "install"), w.when(t, "instance.running", "shop.db", "")
		if !install.Before(runs) {
			t.Errorf("web was installed from %s, database ran at %s: they were to go on at the same time", install, runs)
		}
		waits, start := w.when(t, "step.started", "shop.web", stepDepends), w.when(t, "step.started", "shop.web", "start")
		if !waits.Before(runs) || start.Before(runs) || start.Sub(runs) > 50*time.Millisecond {
			t.Errorf("web waited from %s, database ran at %s, web started at %s: want at once after", waits, runs, start)
		}
		if _, err := w.engine.Load().Remove(ctx, "shop.db", false, "eve"); !errors.Is(err, pool.ErrConflict) || !strings.Contains(err.Error(), "shop.web") {
			t.Errorf("remove what is depended on = %v, want a conflict that names shop.web", err)
		}
		if _, err := w.engine.Load().RemoveApplication(ctx, "shop", false, "eve"); err != nil {
			t.Fatal(err)
		}
		w.until(t, "removed", w.appPhase("shop", pool.ServiceRemoved))
		if web, db := w.when(t, "service.removed", "shop.web", ""), w.when(t, "service.removing", "shop.db", ""); db.Before(web) {
			t.Errorf("database was being removed at %s, before the web server was gone at %s", db, web)
		}
		stop()
		w.join()
		if w.mem.broken != nil {
			t.Error(w.mem.broken)
		}
	})
}

// TestDependencyTimeout: a dependency that never runs ends the wait with a
// cause that names it; a retry goes on from there.
func TestDependencyTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := newRoom(2)
		w.start(ctx, t)
		for _, n := range w.all() {
			n.failEvent = "install"
		}
		o := shop()
		o.Members[0].Events = []string{"start"} // only the database has one that fails
		if _, err := w.engine.Load().DeployApplication(ctx, o); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		w.until(t, "web failed", w.servicePhase("shop.web", pool.ServiceFailed))
		c := w.mem.services["shop.web"].Cause
		if c == nil || c.Code != "dependency.timeout" || !strings.Contains(c.Message, "shop.db") || !strings.Contains(c.Evidence, "shop.db is failed") || c.Remedy == "" {
			t.Errorf("cause = %+v", c)
		}
		if took := time.Since(began); took > dependTime+time.Hour {
			t.Errorf("it took %s", took)
		}
		w.until(t, "application failed", w.appPhase("shop", pool.ServiceFailed))
		for _, n := range w.all() {
			n.mu.Lock()
			n.failEvent = ""
			n.mu.Unlock()
		}
		for _, name := range []string{"shop.db", "shop.web"} {
			if err := w.engine.Load().Retry(ctx, name, "eve"); err != nil {
				t.Fatal(err)
			}
		}
		w.until(t, "running after all", w.appPhase("shop", pool.ServiceRunning))
		stop()
		w.join()
	})
}

func TestDeployApplicationRefuses(t *testing.T) {
	h := newMemory().open()
	e := &Engine{Store: h, Compute: compute.Set{compute.Metal{}}}
	circle := chain(3, map[int][]int{0: {1}, 1: {2}, 2: {0}})
	missing := chain(1, nil)
	missing.Members[0].DependsOn = []string{"db"}
	named := shop()
	named.Name = "default"
	for _, tt := range []struct {
		o    pool.ApplicationOptions
		kind error
		text string
	}{
		{circle, pool.ErrInvalid, "circle: s0 -> s1 -> s2 -> s0"},
		{missing, pool.ErrInvalid, "s0 depends on db, which is not there"},
		{named, pool.ErrInvalid, "not default"},
		{pool.ApplicationOptions{Name: "empty"}, pool.ErrInvalid, "no services"},
		{shop(), pool.ErrUnavailable, "free machine"},
	} {
		if _, err := e.DeployApplication(t.Context(), tt.o); !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("DeployApplication(%s) = %v, want %v with %q", tt.o.Name, err, tt.kind, tt.text)
		}
	}
	if len(h.apps)+len(h.services)+len(h.instances) > 0 {
		t.Errorf("what was refused left rows: %d applications, %d services", len(h.apps), len(h.services))
	}
}

// TestRemovalOrder: however services depend on each other, each is removed
// after those that depend on it, and all are.
func TestRemovalOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "n")
		app := pool.Application{Name: "a", Phase: pool.ServiceRemoving}
		v := &aview{app: &app}
		for i := range n {
			s := pool.Service{Name: string(rune('a' + i)), Phase: rapid.SampledFrom([]pool.ServicePhase{pool.ServiceRunning, pool.ServiceFailed, pool.ServiceDeploying}).Draw(t, "phase")}
			for j := range i {
				if rapid.Bool().Draw(t, "needs") {
					s.DependsOn = append(s.DependsOn, string(rune('a'+j)))
				}
			}
			v.services = append(v.services, s)
		}
		for range 3 * n {
			_, remove := planApplication(v)
			for _, name := range remove {
				for _, s := range v.services {
					if s.Phase != pool.ServiceRemoved && slices.Contains(s.DependsOn, name) {
						t.Fatalf("%s is removed while %s depends on it", name, s.Name)
					}
				}
				v.set(name, pool.ServiceRemoving)
			}
			var busy []string
			for _, s := range v.services {
				if s.Phase == pool.ServiceRemoving {
					busy = append(busy, s.Name)
				}
			}
			if len(busy) > 0 {
				v.set(rapid.SampledFrom(busy).Draw(t, "gone"), pool.ServiceRemoved)
			}
		}
		if _, remove := planApplication(v); len(remove) > 0 || app.Phase != pool.ServiceRemoved {
			t.Fatalf("application is %s after all rounds: %+v", app.Phase, v.services)
		}
	})
}

func (v *aview) set(name string, p pool.ServicePhase) {
	for i := range v.services {
		if v.services[i].Name == name {
			v.services[i].Phase = p
		}
	}
}
