package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"appliance/pool"
)

// changed is the recipe of a next revision.
func changed(n int) pool.RecipeInfo {
	r := recipe()
	r.Digest = fmt.Sprint("sha256:new", n)
	r.Events = append(slices.Clone(r.Events), "drain")
	return r
}

// deployed is a room of n machines with a service on each but spare ones.
func deployed(ctx context.Context, t *testing.T, n, spare int) *world {
	t.Helper()
	w := newRoom(n + spare)
	w.mem.check = invariants
	w.start(ctx, t)
	r := recipe()
	r.Max = 10
	if _, err := w.engine.Load().Deploy(ctx, pool.DeployOptions{Name: "db", Recipe: r, Instances: n, By: "eve"}); err != nil {
		t.Fatal(err)
	}
	w.until(t, "running", w.service(pool.ServiceRunning))
	return w
}

func (w *world) rollout(s pool.RolloutStage) func() bool {
	return func() bool { r := w.mem.services["db"].Rollout; return r != nil && r.Stage == s }
}

// serving watches how many instances run at the least, at every commit.
func (w *world) serving(least *int) {
	check := w.mem.check
	w.mem.check = func(m *memory) error {
		n := 0
		for _, in := range m.instances {
			if in.Phase == pool.InstanceRunning {
				n++
			}
		}
		*least = min(*least, n)
		return check(m)
	}
}

func (w *world) revisions() (out []int) {
	w.mem.mu.Lock()
	defer w.mem.mu.Unlock()
	for _, in := range w.mem.instances {
		if in.Phase != pool.InstanceRemoved {
			out = append(out, in.Revision)
		}
	}
	slices.Sort(out)
	return out
}

// TestRolling: one instance at a time goes to the new revision on its own
// machine, after it was drained; then back to the old one on demand.
func TestRolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := deployed(ctx, t, 3, 0)
		least := 3
		w.mem.mu.Lock()
		w.serving(&least)
		machines := map[string]string{}
		for id, in := range w.mem.instances {
			machines[id] = in.Machine
		}
		w.mem.mu.Unlock()
		svc, err := w.engine.Load().Update(ctx, "db", pool.UpdateOptions{Recipe: changed(2), By: "eve"})
		if err != nil || svc.Revision != 2 || svc.Rollout.From != 1 {
			t.Fatalf("Update = %+v, %v", svc, err)
		}
		if _, err := w.engine.Load().Update(ctx, "db", pool.UpdateOptions{Recipe: changed(3), By: "eve"}); !errors.Is(err, pool.ErrConflict) {
			t.Errorf("a second update = %v, want a conflict", err)
		}
		w.until(t, "done", w.rollout(pool.RolloutDone))
		if got := fmt.Sprint(w.revisions()); got != "[2 2 2]" || least != 2 {
			t.Errorf("revisions %s, %d ran at the least; want [2 2 2], 2", got, least)
		}
		for id, in := range w.mem.instances {
			if in.Machine != machines[id] || in.Phase != pool.InstanceRunning {
				t.Errorf("instance %d is %s on %s, was on %s", in.Number, in.Phase, in.Machine, machines[id])
			}
		}
		if _, err := w.engine.Load().Update(ctx, "db", pool.UpdateOptions{To: 1, Canary: 1, By: "eve"}); err != nil {
			t.Fatal(err)
		}
		w.until(t, "rolled back", func() bool { return w.rollout(pool.RolloutDone)() && w.mem.services["db"].Revision == 1 })
		if got := fmt.Sprint(w.revisions()); got != "[1 1 1]" || w.count("rollout.canary") != 0 {
			t.Errorf("revisions %s after --to-revision 1, %d canaries", got, w.count("rollout.canary"))
		}
		stop()
		w.join()
		if w.mem.broken != nil {
			t.Error(w.mem.broken)
		}
	})
}

func (w *world) count(kind string) (n int) {
	w.mem.mu.Lock()
	defer w.mem.mu.Unlock()
	for _, e := range w.mem.events {
		if e.Type == kind {
			n++
		}
	}
	return n
}

// TestExtraBatch: with an extra batch never fewer instances run than before,
// and the extra one is gone at the end.
func TestExtraBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := deployed(ctx, t, 2, 1)
		least := 2
		w.mem.mu.Lock()
		w.serving(&least)
		w.mem.mu.Unlock()
		if _, err := w.engine.Load().Update(ctx, "db", pool.UpdateOptions{Recipe: changed(2), Extra: true, Batch: 2, By: "eve"}); !errors.Is(err, pool.ErrUnavailable) {
			t.Fatalf("an extra batch of 2 with 1 machine = %v, want unavailable", err)
		}
		if _, err := w.engine.Load().Update(ctx, "db", pool.UpdateOptions{Recipe: changed(2), Extra: true, By: "eve"}); err != nil {
			t.Fatal(err)
		}
		w.until(t, "done", w.rollout(pool.RolloutDone))
		if got := fmt.Sprint(w.revisions()); got != "[2 2]" || least < 2 {
			t.Errorf("revisions %s, %d ran at the least; want [2 2], 2", got, least)
		}
		stop()
		w.join()
	})
}

// TestCanary: the canary waits for a person; one that fails takes back what
// was changed, without another canary.
func TestCanary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := deployed(ctx, t, 3, 0)
		e := w.engine.Load()
		if _, err := e.Update(ctx, "db", pool.UpdateOptions{Recipe: changed(2), Canary: 1, By: "eve"}); err != nil {
			t.Fatal(err)
		}
		w.until(t, "approval", w.rollout(pool.RolloutApproval))
		time.Sleep(time.Hour)
		if got := fmt.Sprint(w.revisions()); got != "[1 1 2]" {
			t.Errorf("revisions %s while the canary waits, want [1 1 2]", got)
		}
		if _, err := e.Steer(ctx, "db", Pause, "eve"); err != nil {
			t.Error(err)
		}
		if _, err := e.Steer(ctx, "db", Promote, "eve"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if got := fmt.Sprint(w.revisions()); got != "[1 1 2]" {
			t.Errorf("revisions %s while it is paused, want [1 1 2]", got)
		}
		w.setFail("start")
		if _, err := e.Steer(ctx, "db", Resume, "eve"); err != nil {
			t.Fatal(err)
		}
		w.until(t, "it fails", w.rollout(pool.RolloutBack))
		w.setFail("")
		w.until(t, "undone", w.rollout(pool.RolloutUndone))
		r := w.mem.services["db"].Rollout
		if got := fmt.Sprint(w.revisions()); got != "[1 1 1]" || r.Cause == nil || r.Cause.Code != "rollout.undone" || w.count("rollout.canary") != 1 {
			t.Errorf("revisions %s, cause %+v, %d canaries", got, r.Cause, w.count("rollout.canary"))
		}
		if s := w.mem.services["db"]; s.Phase != pool.ServiceRunning || s.Revision != 1 || s.Recipe.Digest != recipe().Digest {
			t.Errorf("service is %s at revision %d of %s", s.Phase, s.Revision, s.Recipe.Digest)
		}
		if _, err := e.Steer(ctx, "db", Promote, "eve"); !errors.Is(err, pool.ErrConflict) {
			t.Errorf("promote an update that ended = %v", err)
		}
		stop()
		w.join()
	})
}

// TestRolloutGate: where the recipe has a command check, an instance counts
// only once it has succeeded; what fails it goes back, and the way back asks nobody.
func TestRolloutGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := deployed(ctx, t, 2, 0)
		next := changed(2)
		next.Commands = []string{"check"}
		w.setFail("check")
		if _, err := w.engine.Load().Update(ctx, "db", pool.UpdateOptions{Recipe: next, By: "eve"}); err != nil {
			t.Fatal(err)
		}
		w.until(t, "undone", w.rollout(pool.RolloutUndone))
		if got := fmt.Sprint(w.revisions()); got != "[1 1]" {
			t.Errorf("revisions %s after a failed check", got)
		}
		tries := 0
		for _, n := range w.all() {
			tries += n.times("check")
		}
		if tries != 5 { // of one instance
			t.Errorf("check was tried %d times, want 5", tries)
		}
		w.setFail("")
		next.Digest = "sha256:better"
		if _, err := w.engine.Load().Update(ctx, "db", pool.UpdateOptions{Recipe: next, By: "eve"}); err != nil {
			t.Fatal(err)
		}
		w.until(t, "done", w.rollout(pool.RolloutDone))
		if got := fmt.Sprint(w.revisions()); got != "[3 3]" {
			t.Errorf("revisions %s", got)
		}
		stop()
		w.join()
	})
}

func (w *world) setFail(event string) {
	for _, n := range w.all() {
		n.mu.Lock()
		n.failEvent = event
		n.mu.Unlock()
	}
}

func TestUpdateRefuses(t *testing.T) {
	svc := pool.Service{Name: "db", Recipe: recipe(), Phase: pool.ServiceRunning, Instances: 3, Revision: 2}
	revisions := []pool.Revision{{Number: 1}, {Number: 2}}
	other := changed(3)
	other.Name = "web"
	busy, deploying := svc, svc
	busy.Rollout = &pool.Rollout{Stage: pool.RolloutRolling, To: 2, By: "bob"}
	deploying.Phase = pool.ServiceDeploying
	for _, tt := range []struct {
		svc  pool.Service
		o    pool.UpdateOptions
		kind error
		text string
	}{
		{svc, pool.UpdateOptions{Recipe: recipe()}, pool.ErrConflict, "already"},
		{svc, pool.UpdateOptions{Recipe: other}, pool.ErrInvalid, "not of web"},
		{svc, pool.UpdateOptions{To: 7}, pool.ErrInvalid, "it has 1 to 2"},
		{svc, pool.UpdateOptions{To: 2}, pool.ErrConflict, "at revision 2"},
		{svc, pool.UpdateOptions{Recipe: changed(3), Batch: 4}, pool.ErrInvalid, "batch of 4"},
		{svc, pool.UpdateOptions{Recipe: changed(3), Canary: 3}, pool.ErrInvalid, "canary of 3"},
		{busy, pool.UpdateOptions{Recipe: changed(3)}, pool.ErrConflict, "by bob is under way"},
		{deploying, pool.UpdateOptions{Recipe: changed(3)}, pool.ErrConflict, "it is deploying"},
		{svc, pool.UpdateOptions{Recipe: changed(3), Batch: 3, Canary: 2}, nil, ""},
	} {
		if err := mayUpdate(tt.svc, revisions, tt.o); !errors.Is(err, tt.kind) || err != nil && !strings.Contains(err.Error(), tt.text) {
			t.Errorf("mayUpdate(%+v) = %v, want %v with %q", tt.o, err, tt.kind, tt.text)
		}
	}
}

// TestRolloutEnds walks rollouts through random instances and failures: at
// most a batch is away at a time, it always ends, and when it ends well all
// are at one revision.
func TestRolloutEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, batch := rapid.IntRange(1, 5).Draw(t, "n"), rapid.IntRange(1, 3).Draw(t, "batch")
		r := &pool.Rollout{From: 1, To: 2, Stage: pool.RolloutRolling, Batch: min(batch, n), Health: 10 * time.Second, Extra: rapid.Bool().Draw(t, "extra"),
			Auto: rapid.Bool().Draw(t, "auto"), Canary: rapid.IntRange(0, n-1).Draw(t, "canary")}
		if r.Canary > 0 {
			r.Stage = pool.RolloutCanary
		}
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		r.StartedAt, r.Deadline = now, now.Add(rolloutTime(n))
		svc := &pool.Service{Name: "db", Instances: n, Revision: 2, Phase: pool.ServiceRunning, Rollout: r}
		var all []pool.Instance
		for i := range n {
			all = append(all, pool.Instance{ID: fmt.Sprint("in-", i), Number: i + 1, Revision: 1, Phase: pool.InstanceRunning, RunningAt: now})
		}
		failed := false
		for step := 0; r.Open(); step++ {
			if step > 2000 {
				t.Fatalf("it does not end: %+v, %+v", r, all)
			}
			now = now.Add(time.Duration(rapid.IntRange(1, 20).Draw(t, "seconds")) * time.Second)
			v := &rview{now: now, svc: svc, instances: all, from: pool.Revision{Number: 1}}
			m := planRollout(v)
			for i := range m.extra {
				id := fmt.Sprint("extra-", i)
				all = append(all, pool.Instance{ID: id, Number: n + i + 1, Revision: svc.Revision, Phase: pool.InstanceWaiting})
				r.Extras = append(r.Extras, id)
			}
			for i := range all {
				in := &all[i]
				switch {
				case slices.Contains(m.drop, in.ID):
					in.Phase = pool.InstanceRemoved
				case slices.Contains(m.update, in.ID):
					in.Phase, in.Next = pool.InstanceStopping, r.Target()
				case in.Phase == pool.InstanceStopping || in.Phase == pool.InstanceWaiting:
					if in.Next != 0 {
						in.Revision, in.Next = in.Next, 0
					}
					in.Phase, in.RunningAt = pool.InstanceRunning, now
					if r.Target() == 2 && rapid.IntRange(0, 9).Draw(t, "luck") == 0 {
						in.Phase, failed = pool.InstanceFailed, true
					}
				}
			}
			away := 0
			for _, in := range all {
				if !slices.Contains(r.Extras, in.ID) && in.Phase != pool.InstanceRunning {
					away++
				}
			}
			if limit := max(r.Batch, r.Canary); away > limit {
				t.Fatalf("%d instances are away at a time, a batch is %d: %+v", away, limit, all)
			}
			if r.Stage == pool.RolloutApproval {
				if err := steer(v, &move{}, Promote, "eve"); err != nil {
					t.Fatal(err)
				}
			}
		}
		want := map[bool]pool.RolloutStage{false: pool.RolloutDone, true: pool.RolloutUndone}[failed]
		if r.Stage != want || svc.Revision != r.Target() {
			t.Fatalf("it ended %s at revision %d, want %s", r.Stage, svc.Revision, want)
		}
		for _, in := range all {
			if extra := slices.Contains(r.Extras, in.ID); !extra && in.Revision != r.Target() || extra && in.Phase != pool.InstanceRemoved {
				t.Fatalf("instance %d is %s at revision %d", in.Number, in.Phase, in.Revision)
			}
		}
	})
}

// TestAbandon: what is given up ends at once, says what may remain, and its
// machines are dirty, protected and on hold, with a new epoch.
func TestAbandon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := deployed(ctx, t, 2, 0)
		epochs := map[string]int64{}
		for id, m := range w.mem.machines {
			epochs[id] = m.Epoch
		}
		svc, err := w.engine.Load().Abandon(ctx, "db", "eve")
		if err != nil || svc.Phase != pool.ServiceRemoved {
			t.Fatalf("Abandon = %+v, %v", svc, err)
		}
		text := strings.Join(svc.Remains, "\n")
		for _, want := range []string{"may still be on and run db/1", "disk D1", "10.0.0.2"} {
			if !strings.Contains(text, want) {
				t.Errorf("what may remain does not name %q:\n%s", want, text)
			}
		}
		time.Sleep(time.Hour)
		for id, m := range w.mem.machines {
			c := m.Conditions
			if m.Phase != pool.Enrolled || m.Instance != "" || m.Epoch <= epochs[id] || !c.Is(pool.CondDirty) || !c.Is(pool.CondProtected) || !c.Is(pool.CondHold) {
				t.Errorf("machine %s is %s of %q at epoch %d: %v", m.Name, m.Phase, m.Instance, m.Epoch, c)
			}
		}
		if _, err := w.engine.Load().Abandon(ctx, "db", "eve"); !errors.Is(err, pool.ErrNotFound) {
			t.Errorf("abandon again = %v", err)
		}
		stop()
		w.join()
		if w.mem.broken != nil {
			t.Error(w.mem.broken)
		}
	})
}

// TestPreServiceStop: it runs once, on one instance, after the others stopped.
func TestPreServiceStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := newRoom(3)
		w.start(ctx, t)
		r := recipe()
		r.Events = append(r.Events, "preServiceStop")
		if _, err := w.engine.Load().Deploy(ctx, pool.DeployOptions{Name: "db", Recipe: r, Instances: 3, By: "eve"}); err != nil {
			t.Fatal(err)
		}
		w.until(t, "running", w.service(pool.ServiceRunning))
		if _, err := w.engine.Load().Remove(ctx, "db", false, "eve"); err != nil {
			t.Fatal(err)
		}
		w.until(t, "removed", w.service(pool.ServiceRemoved))
		ran := 0
		for _, n := range w.all() {
			ran += n.times("preServiceStop")
		}
		if ran != 1 {
			t.Errorf("preServiceStop ran %d times, want once", ran)
		}
		at, stops := w.when(t, "step.started", "db", "preServiceStop"), 0
		for _, e := range w.mem.events {
			if e.Type == "step.done" && e.Step == "shutdown" && !e.At.After(at) {
				stops++
			}
		}
		if stops != 3 {
			t.Errorf("%d of 3 instances were shut down before preServiceStop", stops)
		}
		stop()
		w.join()
	})
}

// updated runs a service of two instances through an update, with a fault at a
// commit counted from the update's first, and says how it ended. began is the
// number of commits before the update.
func updated(t *testing.T, f fault) (end string, w *world, began int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w = newRoom(2)
		w.mem.check = invariants
		w.start(ctx, t)
		r := recipe()
		if _, err := w.engine.Load().Deploy(ctx, pool.DeployOptions{Name: "db", Recipe: r, Instances: 2, By: "eve"}); err != nil {
			t.Fatal(err)
		}
		w.until(t, "running", w.service(pool.ServiceRunning))
		time.Sleep(time.Minute)
		w.mem.mu.Lock()
		began = len(w.mem.points)
		if f.mode != "" {
			f.at += began
		}
		w.mem.fault = f
		for _, n := range w.all() {
			clear(n.runs)
		}
		w.mem.mu.Unlock()
		w.until(t, "update", func() bool {
			if w.mem.services["db"].Revision == 2 {
				return true
			}
			w.mem.mu.Unlock()
			defer w.mem.mu.Lock()
			_, _ = w.engine.Load().Update(ctx, "db", pool.UpdateOptions{Recipe: changed(2), Canary: 1, Auto: true, By: "eve"}) // a killed appliance answers nothing
			return false
		})
		w.until(t, "done", w.rollout(pool.RolloutDone))
		time.Sleep(2 * time.Minute)
		stop()
		w.join()
		if w.mem.broken != nil {
			t.Fatalf("invariant: %v\n%s", w.mem.broken, w.story())
		}
		end = fmt.Sprint(w.revisions(), w.mem.services["db"].Phase, w.mem.services["db"].Revision)
		for _, n := range w.all() {
			end += fmt.Sprint("\n", n.runs)
		}
	})
	return end, w, began
}

// TestUpdateKilledAtEachCommit: an appliance that is killed at any commit of
// an update ends it as one that was not, and no event runs twice.
func TestUpdateKilledAtEachCommit(t *testing.T) {
	want, w, began := updated(t, fault{})
	if !strings.HasPrefix(want, "[2 2]running2") || len(w.mem.points)-began < 20 {
		t.Fatalf("%d commits to %s\n%s", len(w.mem.points)-began, want, w.story())
	}
	every := 1
	if testing.Short() {
		every = 7
	}
	commits := w.mem.points[began:]
	for n := 0; n < len(commits); n += every {
		for _, mode := range []string{"kill-before", "kill-after", "fail-after"} {
			got, k, _ := updated(t, fault{at: n + 1, mode: mode})
			if !k.mem.hit {
				t.Fatalf("fault %d was never met", n+1)
			}
			if got != want {
				t.Errorf("%s at %d (%s) ends\n%s\nwant\n%s\n%s", mode, n+1, commits[n], got, want, k.story())
			}
		}
	}
}
