package orchestrator

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"appliance/pool"
)

// odd is the operations' chaos: an application is deployed, and people scale,
// update, undo, invoke, fence, give up and deploy it again, in any order, while
// machines, messages, the appliance and its store fail.
type odd struct {
	*ward
	t      *testing.T
	done   map[string]int // operations that were taken, by kind
	digest int
	over   bool // nothing is deployed any more
}

func (o *odd) app() pool.ApplicationOptions {
	a := shop()
	a.Name = "shop"
	for i := range a.Members {
		m := &a.Members[i]
		m.Elastic, m.Max, m.Stateful, m.Commands = true, 3, false, []string{"check", "report"}
		m.Retries = -1
	}
	return a
}

// people do one thing after the other until enough faults were met.
func (o *odd) people(ctx context.Context, enough int) {
	for sleep(ctx, o.between(10*time.Second, 4*time.Minute)) {
		o.mu.Lock()
		over := o.faults >= enough
		kind := o.random.IntN(9)
		service := []string{"shop.db", "shop.web"}[o.random.IntN(2)]
		n := 1 + o.random.IntN(2)
		o.mu.Unlock()
		if over {
			return
		}
		e := o.engine.Load()
		var err error
		name := ""
		switch kind {
		case 0, 1:
			name = "scale"
			_, err = e.Scale(ctx, service, n, true, "eve")
		case 2, 3:
			name = "update"
			o.digest++
			r := o.app().Members[0]
			if service == "shop.db" {
				r = o.app().Members[1]
			}
			r.Digest = fmt.Sprint("sha256:v", o.digest)
			_, err = e.Update(ctx, service, pool.UpdateOptions{Recipe: r, Batch: 1, By: "eve"})
		case 4:
			name = "undo"
			_, err = e.Steer(ctx, service, Undo, "eve")
		case 5:
			name = "invoke"
			_, err = e.Invoke(ctx, service, pool.InvokeOptions{Command: "report", By: "eve", Rolling: n == 1})
		case 6:
			name = "fence"
			err = o.fenceOne(ctx, e)
		case 7:
			name = "abandon"
			if _, err = e.AbandonApplication(ctx, "shop", "eve"); err == nil {
				sleep(ctx, time.Minute)
			}
		case 8:
			name = "remove"
			_, err = e.RemoveApplication(ctx, "shop", true, "eve")
		}
		if err == nil {
			o.mu.Lock()
			o.done[name]++
			o.mu.Unlock()
		}
	}
}

func (o *odd) between(a, b time.Duration) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	return a + time.Duration(o.random.Int64N(int64(b-a)))
}

// fenceOne fences a machine that runs something.
func (o *odd) fenceOne(ctx context.Context, e *Engine) error {
	o.mem.mu.Lock()
	var ids []string
	for id, m := range o.mem.machines {
		if m.Phase == pool.Active && m.Instance != "" {
			ids = append(ids, id)
		}
	}
	o.mem.mu.Unlock()
	if len(ids) == 0 {
		return pool.ErrNotFound
	}
	slices.Sort(ids)
	o.mu.Lock()
	id := ids[o.random.IntN(len(ids))]
	o.mu.Unlock()
	_, err := e.Fence(ctx, id, "eve")
	return err
}

// caretaker deploys what was removed, while there are faults to come, and does
// what asks for a person: failed operations and services again, cut off events
// by what is known of their effect, machines that were given up or lost.
func (o *odd) caretaker(ctx context.Context) {
	for sleep(ctx, 30*time.Second) {
		e := o.engine.Load()
		o.mem.mu.Lock()
		var retry, doneSteps, release []string
		for _, m := range o.mem.machines {
			op := o.last(m.ID)
			switch {
			case op.Status.Open() && !(op.Status == pool.Waiting && op.Waiting == pool.WaitOperator):
			case m.Phase == pool.Enrolled && (m.Conditions.Is(pool.CondHold) || m.Conditions.Is(pool.CondProtected)):
				release = append(release, m.ID)
			case op.Status == pool.Failed || op.Status == pool.Cancelled || op.Status == pool.Waiting:
				retry = append(retry, m.ID)
			}
		}
		for _, s := range o.mem.services {
			if s.Phase != pool.ServiceFailed || s.Rollout.Open() {
				continue
			}
			happened := false
			for _, st := range o.mem.steps {
				in := o.mem.instances[st.Owner]
				o.mu.Lock()
				happened = happened || st.Status == pool.StepInterrupted && !st.Idempotent && st.Round == in.Round && o.effects[effectOf(st)] > 0 &&
					in.Service == s.Name && in.Phase == pool.InstanceFailed
				o.mu.Unlock()
			}
			if happened {
				doneSteps = append(doneSteps, s.Name)
			} else {
				retry = append(retry, s.Name)
			}
		}
		gone := o.mem.apps["shop"].Phase == "" || o.mem.apps["shop"].Phase == pool.ServiceRemoved
		o.mem.mu.Unlock()
		o.mu.Lock()
		more := !o.over
		o.mu.Unlock()
		if gone && more {
			_, _ = e.DeployApplication(ctx, o.app())
		}
		for _, name := range doneSteps {
			_, _ = e.TakeAsDone(ctx, name, "operator")
		}
		for _, name := range retry {
			_ = e.Retry(ctx, name, "operator") // asked again in a while
		}
		for _, id := range release {
			_, _ = e.Release(ctx, id, "operator", pool.ReleaseOptions{Wipe: true, Serials: o.serialsOf(id)})
		}
	}
}

func (o *odd) serialsOf(id string) (out []string) {
	o.mem.mu.Lock()
	defer o.mem.mu.Unlock()
	if f := o.mem.machines[id].Facts; f != nil {
		for _, d := range f.Disks {
			out = append(out, d.Serial)
		}
	}
	return out
}

// checkOnce: no event that is not idempotent, and no command, had its effect twice.
func (o *odd) checkOnce() {
	o.t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for key, n := range o.effects {
		_, name, _ := strings.Cut(key, "/")
		name, _, _ = strings.Cut(name, "#")
		if sp := eventSpec(name, recipe()); n > 1 && !sp.idem {
			o.t.Errorf("doubled: %s had its effect %d times", key, n)
		}
	}
}

// opsStorm is one run. At its end the application is removed, and all machines
// are in the pool.
func opsStorm(t *testing.T, seed uint64) (faults int, done map[string]int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		const enough = 60
		w := newWard(5, seed)
		o := &odd{ward: w, t: t, done: map[string]int{}}
		w.mem.check = invariants
		messages, commits := rand.New(rand.NewPCG(seed, 2)), rand.New(rand.NewPCG(seed, 3))
		w.trouble = func() trouble {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.faults >= enough || messages.Float64() > 0.03 {
				return fine
			}
			return lostThere + trouble(messages.IntN(4))
		}
		w.mem.chaos = func(int, string) string {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.faults >= enough || commits.Float64() > 0.02 {
				return ""
			}
			w.faults++
			return []string{"kill-before", "kill-after", "fail-before", "fail-after"}[commits.IntN(4)]
		}
		ctx, stop := context.WithCancel(t.Context())
		w.serve(ctx)
		for _, b := range w.boxes {
			b.power(true)
		}
		w.wg.Go(func() { o.caretaker(ctx) })
		w.until(t, "running", func() bool { return w.mem.apps["shop"].Phase == pool.ServiceRunning })
		w.wg.Go(func() { w.gremlins(ctx, enough) })
		w.wg.Go(func() { o.people(ctx, enough) })
		w.until(t, "enough faults", func() bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.faults >= enough
		})
		w.mu.Lock()
		o.over = true
		w.mu.Unlock()
		w.until(t, "removed", func() bool {
			app := w.mem.apps["shop"]
			if app.Phase == pool.ServiceRemoved {
				return true
			}
			if app.Phase != pool.ServiceRemoving {
				w.mem.mu.Unlock()
				defer w.mem.mu.Lock()
				_, _ = w.engine.Load().RemoveApplication(ctx, "shop", true, "eve")
			}
			return false
		})
		w.until(t, "all ready again: a machine leaked from the pool", w.allReady)
		o.checkOnce()
		stop()
		w.wg.Wait()
		if w.mem.broken != nil {
			t.Errorf("invariant: %v\n%s", w.mem.broken, w.story())
		}
		for _, in := range w.mem.instances {
			if in.Phase != pool.InstanceRemoved {
				t.Errorf("instance %s/%d is %s", in.Service, in.Number, in.Phase)
			}
		}
		faults, done = w.faults, o.done
	})
	return faults, done
}

// TestChaosOperations: whatever people ask for, and whatever fails meanwhile,
// ends; nothing has its effect twice; no machine is lost from the pool.
func TestChaosOperations(t *testing.T) {
	seed := *chaosSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano()) / 1000 * 1000
	}
	faults, runs, all := 0, 0, map[string]int{}
	for ; faults < *chaosFaults/4 && !t.Failed(); seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			n, done := opsStorm(t, seed)
			faults += n
			for k, v := range done {
				all[k] += v
			}
		})
		runs++
	}
	t.Logf("%d faults in %d runs; %v", faults, runs, all)
}
