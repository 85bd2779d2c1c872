package orchestrator

import (
	"context"
	"hash/maphash"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"appliance/pool"
)

// The model, of what becomes of a service that runs: its process ends, a person
// asks for another number of instances, for another revision, for its end.

// ask is what a person asks for, once.
type ask struct {
	what string // scale, update, remove
	n    int
}

func (a ask) do(e *Engine) (err error) {
	ctx := context.Background()
	switch a.what {
	case "scale":
		_, err = e.Scale(ctx, "db", a.n, false, "eve")
	case "update":
		r := recipe()
		r.Digest, r.Events, r.Elastic, r.Max = "sha256:next", []string{"start", "postStop"}, true, 2
		_, err = e.Update(ctx, "db", pool.UpdateOptions{Recipe: r, By: "eve"})
	case "remove":
		_, err = e.Remove(ctx, "db", false, "eve")
	}
	return err
}

// waited lets time pass: the model has none, so whoever waits for a while has waited.
func (m *memory) waited() {
	for key, s := range m.steps {
		s.NotBefore = time.Time{}
		m.steps[key] = s
	}
	for id, in := range m.instances {
		if !in.RunningAt.IsZero() {
			in.RunningAt = time.Now().Add(-time.Hour)
		}
		m.instances[id] = in
	}
}

// changeSteps are those of the service and of people.
func (m *model) changeSteps(add func(*model, string, ...any)) {
	for i := range m.pend {
		if m.mem.services["db"].Rollout.Open() {
			add(m.appliance(i, "tick db", func(e *Engine) error { return e.tick(context.Background(), "s:db") }, nil), "appliance %d looks at the service", i)
		}
		if len(m.asks) > 0 {
			n := m.appliance(i, m.asks[0].what, m.asks[0].do, nil)
			if n != nil {
				n.asks = m.asks[1:]
			}
			add(n, "appliance %d is asked to %s", i, m.asks[0].what)
		}
		if m.stops == 0 {
			continue
		}
		for _, in := range m.mem.instances {
			for b, x := range m.box {
				if in.Phase != pool.InstanceRunning || in.Machine != machineID(b) || !x.on || !x.confirmed {
					continue
				}
				r := pool.WatchReport{Machine: in.Machine, Watch: in.Watch, BootID: bootOf(b, x.boot), State: pool.WatchStopped, Why: "its processes are dead"}
				n := m.appliance(i, "the end of "+in.ID, func(e *Engine) error { return e.Watched(context.Background(), r) }, nil)
				if n != nil {
					n.stops--
				}
				add(n, "machine %d tells appliance %d that %s has stopped", b, i, in.ID)
			}
		}
	}
}

// reach returns the nearest state in which goal holds.
func (m *model) reach(t *testing.T, goal func(*model) bool) *model {
	t.Helper()
	x := &explorer{seed: maphash.MakeSeed()}
	seen := map[uint64]bool{}
	for level := []*model{m}; len(level) > 0; {
		var next []*model
		for _, n := range level {
			if goal(n) {
				return n
			}
			for _, s := range n.next() {
				if h := x.hash(s.next); !seen[h] {
					seen[h] = true
					next = append(next, s.next)
				}
			}
		}
		level = next
	}
	t.Fatal("it cannot be reached")
	return nil
}

// settledWith says that n instances run, of that revision, in that round at least, and nobody is at work.
func settledWith(n, revision, round int) func(*model) bool {
	return func(m *model) bool {
		got := 0
		for _, in := range m.mem.instances {
			switch {
			case in.Phase == pool.InstanceRemoved:
			case in.Phase != pool.InstanceRunning || in.Revision != revision || in.Round < round:
				return false
			default:
				got++
			}
		}
		return got == n && !m.mem.services["db"].Rollout.Open() && m.pend[0] == nil && m.pend[1] == nil && len(m.net) == 0
	}
}

// TestModelOfChange explores what two appliances and a bad network make of a
// service that runs and is changed: nothing that is not idempotent happens twice
// in a round, no machine has two owners, and it comes to where it was to come.
func TestModelOfChange(t *testing.T) {
	type budget struct{ stops, crashes, losses, doubles int }
	for name, tt := range map[string]struct {
		instances int
		asks      []ask
		budget    budget
		goals     map[string]func(*model) bool
		long      bool
	}{
		"relaunch, lost":       {1, nil, budget{stops: 1, losses: 1}, map[string]func(*model) bool{"runs again": settledWith(1, 1, 1)}, false},
		"relaunch, doubled":    {1, nil, budget{stops: 1, doubles: 1}, map[string]func(*model) bool{"runs again": settledWith(1, 1, 1)}, false},
		"relaunch and restart": {1, nil, budget{stops: 1, crashes: 1}, map[string]func(*model) bool{"runs again": settledWith(1, 1, 1), "twice": settledWith(1, 1, 2)}, true},
		"scaled out":           {1, []ask{{"scale", 2}}, budget{}, map[string]func(*model) bool{"two": settledWith(2, 1, 0)}, true},
		"scaled in, lost":      {2, []ask{{"scale", 1}}, budget{losses: 1}, map[string]func(*model) bool{"one": settledWith(1, 1, 0)}, true},
		"scaled in, stopped":   {2, []ask{{"scale", 1}}, budget{stops: 1}, map[string]func(*model) bool{"one": settledWith(1, 1, 0), "one, started again": settledWith(1, 1, 1)}, true},
		"update":               {1, []ask{{"update", 0}}, budget{doubles: 1}, map[string]func(*model) bool{"changed": settledWith(1, 2, 1)}, false},
		"update and restart":   {1, []ask{{"update", 0}}, budget{crashes: 1}, map[string]func(*model) bool{"changed": settledWith(1, 2, 1)}, true},
		"update, stopped":      {1, []ask{{"update", 0}}, budget{stops: 1}, map[string]func(*model) bool{"changed": settledWith(1, 2, 1)}, true},
		"update and removal":   {1, []ask{{"update", 0}, {"remove", 0}}, budget{}, map[string]func(*model) bool{"removed": phaseMet(pool.InstanceRemoved)}, true},
		"relaunch and removal": {1, []ask{{"remove", 0}}, budget{stops: 1}, map[string]func(*model) bool{"removed": phaseMet(pool.InstanceRemoved)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.long && testing.Short() {
				t.Skip("takes longer; make engine-test runs it")
			}
			synctest.Test(t, func(t *testing.T) {
				m := newModel(tt.instances, "start", "postStop")
				svc := m.mem.services["db"]
				svc.Recipe.Elastic, svc.Recipe.Max, svc.Revision = true, 2, 1
				m.mem.services["db"] = svc
				m.mem.revisions["db"] = []pool.Revision{{Service: "db", Number: 1, Recipe: svc.Recipe, Template: svc.Template, Image: svc.Image}}
				for id, in := range m.mem.instances {
					in.Revision = 1
					m.mem.instances[id] = in
				}
				m = m.reach(t, settledWith(tt.instances, 1, 0))
				m.asks, m.stops, m.crashes, m.losses, m.doubles = slices.Clone(tt.asks), tt.budget.stops, tt.budget.crashes, tt.budget.losses, tt.budget.doubles
				x := &explorer{seed: maphash.MakeSeed(), limit: 2_000_000}
				met := x.explore(t, m, tt.goals)
				for goal := range tt.goals {
					if !met[goal] {
						t.Errorf("no way leads to %q: the model is too narrow", goal)
					}
				}
				t.Logf("%d states, depth %d", len(x.seen), x.depth)
			})
		})
	}
}
