package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"appliance/pool"
)

// TestUpdateImage: a new image is written to each machine in turn, on the way
// back the old one; the disk of the data is left as it is. What would lose data,
// or does not fit where it runs, is refused by the plan.
func TestUpdateImage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := withStorage(2)
		w.mem.images = append(w.mem.images, pool.Image{Name: "debian-13", Size: 1 << 30, Digest: "sha256:13"})
		w.mem.templates = append(w.mem.templates, pool.Template{Name: "BIG", Cores: 64})
		w.start(ctx, t)
		e := w.engine.Load()
		r := storing()
		if _, err := e.Deploy(ctx, pool.DeployOptions{Name: "db", Recipe: r, Image: "debian-12", Instances: 2, By: "eve"}); err != nil {
			t.Fatal(err)
		}
		w.until(t, "running", w.service(pool.ServiceRunning))
		if p, err := e.PlanUpdate(ctx, "db", pool.UpdateOptions{Recipe: r, Template: "BIG"}); err == nil && len(p.Problems) == 0 || err != nil && !errors.Is(err, pool.ErrInvalid) {
			t.Errorf("a template that lacks the storage = %+v, %v", p.Problems, err)
		}
		plain := r
		plain.Storage = ""
		p, err := e.PlanUpdate(ctx, "db", pool.UpdateOptions{Recipe: plain, Template: "BIG"})
		if err != nil || len(p.Problems) != 1 || !strings.Contains(p.Problems[0], "has 2 cores, wants 64") {
			t.Errorf("a template that fits nowhere = %+v, %v", p.Problems, err)
		}
		if _, err := e.Update(ctx, "db", pool.UpdateOptions{Recipe: plain, Template: "BIG", By: "eve"}); !errors.Is(err, pool.ErrConflict) {
			t.Errorf("update to it = %v", err)
		}
		p, err = e.PlanUpdate(ctx, "db", pool.UpdateOptions{Recipe: r, Image: "debian-13"})
		if err != nil || len(p.Problems) > 0 || p.Services[0].Image != "debian-13" || !strings.Contains(fmt.Sprint(p.Services[0].Instances[0].Steps), "image") {
			t.Fatalf("plan of an image = %+v, %v", p, err)
		}
		if _, err := e.Update(ctx, "db", pool.UpdateOptions{Recipe: r, Image: "debian-13", Plan: "sha256:stale", By: "eve"}); !errors.Is(err, pool.ErrConflict) {
			t.Errorf("a stale plan = %v", err)
		}
		if _, err := e.Update(ctx, "db", pool.UpdateOptions{Recipe: r, Image: "debian-13", Plan: p.Digest, By: "eve"}); err != nil {
			t.Fatal(err)
		}
		w.until(t, "done", w.rollout(pool.RolloutDone))
		images := func(want string) {
			t.Helper()
			for _, m := range w.mem.machines {
				if m.Image != want || m.Epoch != 1 {
					t.Errorf("machine %s has image %s at epoch %d, want %s", m.Name, m.Image, m.Epoch, want)
				}
			}
			for _, n := range w.all() {
				if n.formats != 1 {
					t.Errorf("a data disk was formatted %d times", n.formats)
				}
			}
		}
		images("debian-13")
		if s := w.mem.services["db"]; s.Image != "debian-13" || s.Revision != 2 {
			t.Errorf("service has image %s, revision %d", s.Image, s.Revision)
		}
		if _, err := e.Update(ctx, "db", pool.UpdateOptions{To: 1, By: "eve"}); err != nil {
			t.Fatal(err)
		}
		w.until(t, "back", func() bool { return w.rollout(pool.RolloutDone)() && w.mem.services["db"].Revision == 1 })
		images("debian-12")
		stop()
		w.join()
		if w.mem.broken != nil {
			t.Error(w.mem.broken)
		}
	})
}

// TestUpdateImageKeepsData: a stateful service without a disk of its own for
// its data is not given another image without a word.
func TestUpdateImageKeepsData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := newRoom(1)
		w.mem.images = append(w.mem.images, pool.Image{Name: "debian-13", Size: 1 << 30, Digest: "sha256:13"})
		w.start(ctx, t)
		e := w.engine.Load()
		r := recipe()
		r.Stateful = true
		if _, err := e.Deploy(ctx, pool.DeployOptions{Name: "db", Recipe: r, Image: "debian-12", By: "eve"}); err != nil {
			t.Fatal(err)
		}
		w.until(t, "running", w.service(pool.ServiceRunning))
		o := pool.UpdateOptions{Recipe: r, Image: "debian-13", By: "eve"}
		if _, err := e.Update(ctx, "db", o); !errors.Is(err, pool.ErrConflict) || !strings.Contains(err.Error(), "--without-data") {
			t.Errorf("update = %v", err)
		}
		o.WithoutData = true
		if _, err := e.Update(ctx, "db", o); err != nil {
			t.Fatal(err)
		}
		w.until(t, "done", w.rollout(pool.RolloutDone))
		if got := w.only().Image; got != "debian-13" {
			t.Errorf("image %s", got)
		}
		stop()
		w.join()
	})
}

// TestUpdateImageUndone: whether the new image could not be written, or
// somebody undoes the update while it is: the machine has the old one at the end.
func TestUpdateImageUndone(t *testing.T) {
	for _, fails := range []bool{true, false} {
		t.Run(fmt.Sprint(fails), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithCancel(t.Context())
				w := withStorage(1)
				w.mem.images = append(w.mem.images, pool.Image{Name: "debian-13", Size: 1 << 30, Digest: "sha256:13"})
				w.start(ctx, t)
				e := w.engine.Load()
				if _, err := e.Deploy(ctx, pool.DeployOptions{Name: "db", Recipe: storing(), Image: "debian-12", By: "eve"}); err != nil {
					t.Fatal(err)
				}
				w.until(t, "running", w.service(pool.ServiceRunning))
				if fails {
					w.set(func() { w.damaged = &pool.Cause{Code: "image.bad", Message: "No.", Remedy: "None."} })
				}
				if _, err := e.Update(ctx, "db", pool.UpdateOptions{Recipe: storing(), Image: "debian-13", By: "eve"}); err != nil {
					t.Fatal(err)
				}
				w.until(t, "imaging", func() bool { return w.instancePhase() == pool.InstanceAcquiring })
				if fails {
					w.until(t, "back", w.rollout(pool.RolloutBack))
					w.set(func() { w.damaged = nil })
				} else if _, err := e.Steer(ctx, "db", Undo, "eve"); err != nil {
					t.Fatal(err)
				}
				w.until(t, "undone", w.rollout(pool.RolloutUndone))
				if m := w.only(); m.Image != "debian-12" || !w.service(pool.ServiceRunning)() || w.formats != 1 {
					t.Errorf("image %s, formatted %d times\n%s", m.Image, w.formats, w.story())
				}
				stop()
				w.join()
			})
		})
	}
}

func (w *world) instancePhase() (p pool.ServicePhase) {
	for _, in := range w.mem.instances {
		p = in.Phase
	}
	return p
}
