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

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"appliance/orchestrator/compute"
	"appliance/pool"
)

// poolOf makes n ready machines of three sizes.
func poolOf(n int) []pool.Machine {
	out := make([]pool.Machine, n)
	for i := range out {
		out[i] = pool.Machine{ID: fmt.Sprintf("m-%05d", i), Name: fmt.Sprintf("node-%05d", i), Phase: pool.Ready,
			Facts: &pool.Facts{Arch: pool.AMD64, Manufacturer: "Acme", Product: fmt.Sprint("X", i%3), CPU: pool.CPU{Cores: 2 << (i % 3)}, Memory: 4 << 30,
				Disks: []pool.Disk{{Name: "sda", Serial: fmt.Sprint("S", i), Size: 100 << 30, Type: "ssd"}}}}
	}
	return out
}

func looking(machines []pool.Machine) outlook {
	return outlook{now: time.Unix(0, 0), machines: machines, live: map[string]presence{}, compute: compute.Set{compute.Metal{}}, times: &durations{}, digest: "sha256:1"}
}

func demandOf(name string, n int, needs ...string) demand {
	return demand{svc: pool.Service{Name: name, Recipe: recipe(), Template: "SMALL_LINUX", Instances: n, DependsOn: needs},
		template: pool.Shipped()[0], count: n, first: 1}
}

// TestPropose: the smallest machines, each once, with reasons, steps and
// times; a dependent service is expected after what it depends on.
func TestPropose(t *testing.T) {
	o := looking(poolOf(4))
	o.machines[3].Phase = pool.Active
	for recipe, steps := range map[string][]string{"": {stepImage, stepSystem}, "db": {stepPrepare, "install", "start", "postStart"}} {
		for _, s := range steps {
			learn(o.times, recipe, s, 10*time.Second)
		}
	}
	p := propose(o, []demand{demandOf("db", 2), demandOf("web", 1, "db")})
	if len(p.Problems) > 0 || p.Digest != "sha256:1" || len(p.Services) != 2 {
		t.Fatalf("plan = %+v", p)
	}
	db, web := p.Services[0], p.Services[1]
	if db.Instances[0].Name != "node-00000" || db.Instances[1].Name != "node-00001" || web.Instances[0].Name != "node-00002" {
		t.Errorf("machines %s, %s, %s; want the smallest first, each once", db.Instances[0].Name, db.Instances[1].Name, web.Instances[0].Name)
	}
	if !strings.Contains(db.Instances[0].Why, "smallest") || !slices.ContainsFunc(db.Others, func(x pool.Passed) bool { return x.Name == "node-00003" && strings.Contains(x.Why[0], "active") }) {
		t.Errorf("why %q, others %+v", db.Instances[0].Why, db.Others)
	}
	if db.Expected != 60*time.Second || web.Expected != 80*time.Second || p.Expected != web.Expected || p.Unmeasured == 0 {
		t.Errorf("expected db %s, web %s, all %s (%d unmeasured); want 1m0s, 1m20s", db.Expected, web.Expected, p.Expected, p.Unmeasured)
	}
	if names := stepNames(web.Instances[0]); !strings.Contains(names, "install dependencies start") {
		t.Errorf("steps of web: %s", names)
	}
	if p := propose(o, []demand{demandOf("db", 4)}); len(p.Problems) != 1 || !strings.Contains(p.Problems[0], "wants 4 free machines for template SMALL_LINUX, 3 fit: node-00003 fits, but is active") {
		t.Errorf("problems = %q", p.Problems)
	}
}

func stepNames(in pool.InstancePlan) string {
	var out []string
	for _, s := range in.Steps {
		out = append(out, s.Name)
	}
	return strings.Join(out, " ")
}

func learn(l *durations, recipe, step string, took time.Duration) {
	l.about(pool.Machine{ID: "m", Facts: &pool.Facts{Manufacturer: "Acme", Product: "X0"}})
	s := &pool.Step{Owner: "op-1", Machine: "m", Name: step, Status: pool.StepDone, StartedAt: time.Unix(0, 0), EndedAt: time.Unix(0, 0).Add(took)}
	if recipe != "" {
		s.Owner = "in-1"
		l.owned("in-1", recipe)
	}
	l.learn(s)
}

// TestProposeHolds: a plan gives each machine to one instance, only ready and
// fitting ones, changes nothing it was given, and is the same the next time.
func TestProposeHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		machines := poolOf(rapid.IntRange(0, 12).Draw(t, "machines"))
		for i := range machines {
			machines[i].Phase = rapid.SampledFrom(pool.Phases()).Draw(t, "phase")
		}
		o, before := looking(machines), slices.Clone(machines)
		var demands []demand
		for i := range rapid.IntRange(1, 3).Draw(t, "services") {
			demands = append(demands, demandOf(fmt.Sprint("s", i), rapid.IntRange(1, 5).Draw(t, "n")))
		}
		p := propose(o, demands)
		if d := cmp.Diff(p, propose(o, demands)); d != "" {
			t.Fatalf("planned again it differs:\n%s", d)
		}
		if fmt.Sprint(before) != fmt.Sprint(o.machines) {
			t.Fatalf("the pool was changed:\n%v\n%v", before, o.machines)
		}
		seen, short := map[string]bool{}, false
		for i, s := range p.Services {
			for _, in := range s.Instances {
				if in.Machine == "" {
					short = true
					continue
				}
				j := slices.IndexFunc(machines, func(m pool.Machine) bool { return m.ID == in.Machine })
				if seen[in.Machine] || machines[j].Phase != pool.Ready || len(demands[i].template.Match(machines[j])) > 0 {
					t.Fatalf("machine %s was given away wrongly: %+v", in.Machine, p)
				}
				seen[in.Machine] = true
			}
		}
		if short != (len(p.Problems) > 0) {
			t.Fatalf("short: %t, problems %q", short, p.Problems)
		}
	})
}

// TestStalePlan: what was planned is done when nothing changed, on the machines
// that were named; else it is refused. Durations that were learned are kept.
func TestStalePlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := newRoom(3)
		w.start(ctx, t)
		e := w.engine.Load()
		o := pool.DeployOptions{Name: "db", Recipe: recipe(), Instances: 2, By: "eve"}
		plan, err := e.Plan(ctx, o)
		if err != nil || len(plan.Services[0].Instances) != 2 || len(w.mem.services) > 0 {
			t.Fatalf("Plan = %+v, %v", plan, err)
		}
		o.Plan = plan.Digest
		if _, err := e.Deploy(ctx, o); err != nil {
			t.Fatal(err)
		}
		w.until(t, "running", w.service(pool.ServiceRunning))
		for _, in := range w.mem.instances {
			if want := plan.Services[0].Instances[in.Number-1].Machine; in.Machine != want {
				t.Errorf("instance %d is on %s, planned was %s", in.Number, in.Machine, want)
			}
		}
		again := pool.DeployOptions{Name: "other", Recipe: recipe(), By: "eve", Plan: plan.Digest}
		if _, err := e.Deploy(ctx, again); !errors.Is(err, pool.ErrConflict) || !strings.Contains(err.Error(), "stale") {
			t.Errorf("deploy by a stale plan = %v", err)
		}
		time.Sleep(time.Minute) // a beat
		kept := &durations{}
		if err := kept.load(ctx, w.mem.open()); err != nil || kept.of("db", "install", "").N != 2 || kept.of("", stepImage, "").Mean != 10*time.Second {
			t.Errorf("learned: install %+v, image %+v, %v", kept.of("db", "install", ""), kept.of("", stepImage, ""), err)
		}
		plan, err = e.Plan(ctx, pool.DeployOptions{Name: "other", Recipe: recipe(), By: "eve"})
		if err != nil || plan.Unmeasured > 0 || plan.Expected < 30*time.Second {
			t.Errorf("after one deployment the next is expected to take %s, %d steps unmeasured, %v", plan.Expected, plan.Unmeasured, err)
		}
		stop()
		w.join()
	})
}

// BenchmarkPlan10000 plans 10,000 instances on as many machines.
func BenchmarkPlan10000(b *testing.B) {
	o := looking(poolOf(10_000))
	for b.Loop() {
		if p := propose(o, []demand{demandOf("db", 10_000)}); len(p.Problems) > 0 {
			b.Fatal(p.Problems[0][:200])
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms")
}

// BenchmarkDependency measures how long after its dependency runs a service
// that waits for it is released, on the fake store.
func BenchmarkDependency(b *testing.B) {
	h := newMemory().open()
	e := &Engine{Store: h, Compute: compute.Set{compute.Metal{}}}
	ctx, stop := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			b.Error(err)
		}
	}()
	var total time.Duration
	n := 0
	for b.Loop() {
		n++
		app, db, web := fmt.Sprint("a", n), fmt.Sprintf("a%d.db", n), fmt.Sprintf("a%d.web", n)
		d := &draft{now: time.Now().UTC(), mint: mint}
		d.application(&pool.Application{Name: app, Services: []string{db, web}, Phase: pool.ServiceDeploying})
		front := &pool.Service{Name: web, Application: app, DependsOn: []string{db}, Phase: pool.ServiceDeploying, Instances: 1, Revision: 1, Template: "SMALL_LINUX"}
		d.service(&pool.Service{Name: db, Application: app, Phase: pool.ServiceDeploying, Instances: 1, Revision: 1})
		d.service(front)
		behind := &pool.Instance{ID: mint("in"), Service: db, Number: 1, Phase: pool.InstanceWaiting}
		in := &pool.Instance{ID: mint("in"), Service: web, Number: 1, Phase: pool.InstanceInstalling, Step: stepDepends}
		m := &pool.Machine{ID: mint("m"), Name: web, Phase: pool.Active, Instance: in.ID, Epoch: 1}
		in.Machine = m.ID
		d.machine(m)
		d.instance(behind)
		d.instance(in)
		s := d.newSteps(in.ID, "", 0, 5, d.now.Add(dependTime), []string{stepDepends}, func(name string) spec { return eventSpec(name, pool.RecipeInfo{}) })[0]
		d.begin(s)
		if err := e.apply(ctx, d); err != nil {
			b.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond) // it waits now
		began := time.Now()
		for {
			fresh, err := h.Instance(ctx, behind.ID)
			if err != nil {
				b.Fatal(err)
			}
			fresh.Phase = pool.InstanceRunning
			r := &draft{now: time.Now().UTC(), mint: mint}
			r.instance(&fresh)
			if err = e.apply(ctx, r); err == nil {
				break
			}
		}
		for {
			if got, err := h.Step(ctx, s.Key); err != nil || got.Status == pool.StepDone {
				break
			}
			time.Sleep(50 * time.Microsecond)
		}
		total += time.Since(began)
	}
	b.ReportMetric(float64(total.Microseconds())/float64(n)/1000, "release-ms")
}
