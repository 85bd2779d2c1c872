package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"appliance/pool"
)

func storing() pool.RecipeInfo {
	r := recipe()
	r.Template, r.Storage, r.Stateful = "DB", "DATA", true
	return r
}

// withStorage is a room whose machines have a second disk, and a template that
// names it.
func withStorage(n int) *world {
	w := newRoom(n)
	w.mem.check = invariants
	w.mem.templates = append(w.mem.templates, pool.Template{Name: "DB", Cores: 1, Storage: []pool.StorageTemplate{
		{Name: "DATA", Path: "/srv/data", Size: 5 << 30},
		{Name: "HUGE", Path: "/srv/huge", Size: 500 << 30}}, Target: pool.DiskHint{MinSize: 15 << 30}})
	for _, m := range w.all() {
		m.data = "-"
	}
	return w
}

func (w *world) instance(t *testing.T) pool.Instance {
	t.Helper()
	w.mem.mu.Lock()
	defer w.mem.mu.Unlock()
	for _, in := range w.mem.instances {
		return in
	}
	t.Fatal("no instance")
	return pool.Instance{}
}

// TestStorage: the data disk is chosen beside the system's, shown in the plan,
// formatted once, mounted again after a boot, an update and a reinstall.
func TestStorage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := withStorage(1)
		w.start(ctx, t)
		e := w.engine.Load()
		r := storing()
		r.Storage = "NONE"
		if _, err := e.Plan(ctx, pool.DeployOptions{Name: "db", Recipe: r}); !errors.Is(err, pool.ErrInvalid) || !strings.Contains(err.Error(), "it has DATA, HUGE") {
			t.Errorf("plan with an unknown storage template = %v", err)
		}
		r.Storage = "HUGE"
		if p, err := e.Plan(ctx, pool.DeployOptions{Name: "db", Recipe: r}); err != nil || len(p.Problems) == 0 || !strings.Contains(p.Problems[0], "storage template HUGE") {
			t.Errorf("plan without a disk for it = %+v, %v", p.Problems, err)
		}
		p, err := e.Plan(ctx, pool.DeployOptions{Name: "db", Recipe: storing()})
		if err != nil || len(p.Problems) > 0 || !strings.Contains(p.Services[0].Instances[0].Storage, "serial DATAD1) at /srv/data") {
			t.Fatalf("plan = %+v, %v", p, err)
		}
		if _, err := e.Deploy(ctx, pool.DeployOptions{Name: "db", Recipe: storing(), By: "eve"}); err != nil {
			t.Fatal(err)
		}
		w.until(t, "running", w.service(pool.ServiceRunning))
		in := w.instance(t)
		if in.Storage == nil || in.Storage.Serial != "DATAD1" || w.formats != 1 || w.data != in.Storage.UUID {
			t.Fatalf("storage %+v, formatted %d times", in.Storage, w.formats)
		}
		w.reboot()
		w.until(t, "running after a boot", func() bool { return w.mem.instances[in.ID].Round == 1 && w.service(pool.ServiceRunning)() })
		next := storing()
		next.Digest = "sha256:22"
		if _, err := e.Update(ctx, "db", pool.UpdateOptions{Recipe: next, By: "eve"}); err != nil {
			t.Fatal(err)
		}
		w.until(t, "updated", w.rollout(pool.RolloutDone))
		if w.formats != 1 || w.count("storage.bound") != 3 {
			t.Errorf("formatted %d times, bound %d times; want 1, 3", w.formats, w.count("storage.bound"))
		}
		if _, err := e.Reinstall(ctx, "db", 1, false, "eve"); err != nil {
			t.Fatal(err)
		}
		w.until(t, "reinstalled", func() bool { return w.mem.instances[in.ID].Round >= 5 && w.service(pool.ServiceRunning)() })
		if w.formats != 1 || w.count("storage.bound") != 4 {
			t.Errorf("after a reinstall: formatted %d times, bound %d times; want 1, 4\n%s", w.formats, w.count("storage.bound"), w.story())
		}
		if _, err := e.Remove(ctx, "db", false, "eve"); err != nil {
			t.Fatal(err)
		}
		w.until(t, "removed", w.service(pool.ServiceRemoved))
		if w.data != in.Storage.UUID || !w.only().Conditions.Is(pool.CondProtected) {
			t.Errorf("data %q, machine %+v", w.data, w.only().Conditions)
		}
		stop()
		w.join()
	})
}

// TestStorageIsNeverMadeAnew: a data disk that came back empty is not
// formatted a second time: a person decides.
func TestStorageIsNeverMadeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := withStorage(1)
		w.start(ctx, t)
		r := storing()
		r.Retries = 0
		if _, err := w.engine.Load().Deploy(ctx, pool.DeployOptions{Name: "db", Recipe: r, By: "eve"}); err != nil {
			t.Fatal(err)
		}
		w.until(t, "running", w.service(pool.ServiceRunning))
		w.set(func() { w.data = "-" })
		w.reboot()
		w.until(t, "failed", w.service(pool.ServiceFailed))
		time.Sleep(time.Hour)
		if c := w.instance(t).Cause; w.formats != 1 || c == nil || c.Code != "storage.missing" {
			t.Errorf("formatted %d times, cause %+v", w.formats, c)
		}
		stop()
		w.join()
	})
}

// TestReinstallLeavesDataDisk: whatever the template says by now, the system
// is not written to the disk that bears the data.
func TestReinstallLeavesDataDisk(t *testing.T) {
	for name, tt := range map[string]struct {
		target pool.DiskHint // of the template by now
		want   string        // serials that images were written to
	}{
		"a smaller disk will do":    {pool.DiskHint{MinSize: 5 << 30}, "D1 D1"},
		"only the data's disk fits": {pool.DiskHint{Serial: "DATAD1"}, "D1"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithCancel(t.Context())
				w := withStorage(1)
				w.start(ctx, t)
				if _, err := w.engine.Load().Deploy(ctx, pool.DeployOptions{Name: "db", Recipe: storing(), By: "eve"}); err != nil {
					t.Fatal(err)
				}
				w.until(t, "running", w.service(pool.ServiceRunning))
				w.mem.mu.Lock()
				w.mem.templates[len(w.mem.templates)-1].Target = tt.target
				w.mem.mu.Unlock()
				if _, err := w.engine.Load().Reinstall(ctx, "db", 1, false, "eve"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Hour)
				var written []string
				w.mem.mu.Lock()
				for _, s := range w.mem.steps {
					var p pool.ImageParams
					if s.Name == stepImage && json.Unmarshal(s.Task.Params, &p) == nil {
						written = append(written, p.Disk.Serial)
					}
				}
				w.mem.mu.Unlock()
				if got := strings.Join(written, " "); got != tt.want {
					t.Errorf("images were written to %q, want %q\n%s", got, tt.want, w.story())
				}
				stop()
				w.join()
			})
		})
	}
}

// TestReinstallKeepsData: a stateful service without a disk of its own for its
// data is not reinstalled without a word.
func TestReinstallKeepsData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := newRoom(1)
		w.start(ctx, t)
		r := recipe()
		r.Stateful = true
		if _, err := w.engine.Load().Deploy(ctx, pool.DeployOptions{Name: "db", Recipe: r, By: "eve"}); err != nil {
			t.Fatal(err)
		}
		w.until(t, "running", w.service(pool.ServiceRunning))
		if _, err := w.engine.Load().Reinstall(ctx, "db", 1, false, "eve"); !errors.Is(err, pool.ErrConflict) {
			t.Errorf("reinstall = %v, want a conflict", err)
		}
		if _, err := w.engine.Load().Reinstall(ctx, "db", 1, true, "eve"); err != nil {
			t.Errorf("reinstall without data = %v", err)
		}
		w.until(t, "reinstalled", func() bool { return w.instanceRound() >= 2 && w.service(pool.ServiceRunning)() })
		stop()
		w.join()
	})
}

func (w *world) instanceRound() (n int) {
	for _, in := range w.mem.instances {
		n = max(n, in.Round)
	}
	return n
}

// TestReinstallAfterRecovery: an instance whose recovery had failed keeps its
// machine and its data when its system cannot be written anew.
func TestReinstallAfterRecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := withStorage(1)
		w.start(ctx, t)
		e := w.engine.Load()
		if _, err := e.Deploy(ctx, pool.DeployOptions{Name: "db", Recipe: storing(), By: "eve"}); err != nil {
			t.Fatal(err)
		}
		w.until(t, "running", w.service(pool.ServiceRunning))
		in := w.instance(t)
		in.Phase, in.Heal = pool.InstanceFailed, &pool.Heal{Stage: pool.HealPowerOn, Machine: in.Machine, At: time.Now(), Since: time.Now()}
		if err := w.engine.Load().Store.Apply(ctx, &pool.Change{Instances: []*pool.Instance{&in}}); err != nil {
			t.Fatal(err)
		}
		w.set(func() { w.damaged = &pool.Cause{Code: "image.bad", Message: "No.", Remedy: "None."} })
		if _, err := e.Reinstall(ctx, "db", 1, false, "eve"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if now := w.instance(t); now.Machine != in.Machine || w.data != in.Storage.UUID {
			t.Errorf("machine %q, data %q\n%s", now.Machine, w.data, w.story())
		}
		stop()
		w.join()
	})
}
