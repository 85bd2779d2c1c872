package orchestrator

import (
	"context"
	"fmt"
	"testing"
	"time"

	"appliance/pool"
)

// newRoom is a world of n machines without BMCs, which stay in RAM until
// they are given something to do.
func newRoom(n int) *world {
	w := newWorld()
	w.noBMC = true
	for i := 1; i < n; i++ {
		o := newWorld()
		o.mem, o.noBMC = w.mem, true
		o.mac[5] = byte(i + 1)
		w.nodes = append(w.nodes, o)
	}
	return w
}

// all are the machines of a room.
func (w *world) all() []*world { return append([]*world{w}, w.nodes...) }

// start serves, switches all machines on and waits until all are ready.
func (w *world) start(ctx context.Context, t *testing.T) {
	t.Helper()
	w.serve(ctx)
	for _, n := range w.all() {
		n.power(true)
	}
	w.until(t, "all ready", func() bool {
		for _, m := range w.mem.machines {
			if m.Phase != pool.Ready {
				return false
			}
		}
		return len(w.mem.machines) == len(w.all())
	})
}

// end stops everything that runs.
func (w *world) join() {
	for _, n := range w.all() {
		n.wg.Wait()
	}
}

func (w *world) servicePhase(name string, p pool.ServicePhase) func() bool {
	return func() bool { return w.mem.services[name].Phase == p }
}

func (w *world) appPhase(name string, p pool.ServicePhase) func() bool {
	return func() bool { return w.mem.apps[name].Phase == p }
}

// when returns the time of the first event of a kind about a service.
func (w *world) when(t *testing.T, kind, service, step string) time.Time {
	t.Helper()
	w.mem.mu.Lock()
	defer w.mem.mu.Unlock()
	for _, e := range w.mem.events {
		if e.Type == kind && e.Service == service && (step == "" || e.Step == step) {
			return e.At
		}
	}
	t.Fatalf("no event %s of %s %s", kind, service, step)
	return time.Time{}
}

// shop is an application of a database and a web server in front.
func shop() pool.ApplicationOptions {
	db, web := recipe(), recipe()
	db.Name, db.Application = "shop.db", "shop"
	web.Name, web.Application, web.DependsOn = "shop.web", "shop", []string{"db"}
	return pool.ApplicationOptions{Recipe: pool.RecipeInfo{Name: "shop", Members: []string{"sha256:11", "sha256:11"}},
		Members: []pool.RecipeInfo{web, db}, By: "eve"}
}

// member returns shop with n services s0, s1, ... and their dependencies.
func chain(n int, needs map[int][]int) pool.ApplicationOptions {
	o := pool.ApplicationOptions{Name: "chain", Recipe: pool.RecipeInfo{Name: "chain"}, By: "eve"}
	for i := range n {
		r := recipe()
		r.Name, r.Application = fmt.Sprint("chain.s", i), "chain"
		for _, d := range needs[i] {
			r.DependsOn = append(r.DependsOn, fmt.Sprint("s", d))
		}
		o.Members = append(o.Members, r)
	}
	return o
}
