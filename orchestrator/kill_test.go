package orchestrator

import (
	"context"
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

func recipe() pool.RecipeInfo {
	return pool.RecipeInfo{Name: "db", Digest: "sha256:11", Template: "SMALL_LINUX", Instances: 1, Min: 1, Max: 3, Port: 3306,
		Events: []string{"init", "preInstall", "install", "start", "startDetection", "postStart", "preStop", "stop", "shutdown"}}
}

// until waits until ok, looked at every second; the deadline is the test's own.
func (w *world) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(24 * time.Hour); time.Now().Before(end); {
		w.mem.mu.Lock()
		done := ok()
		w.mem.mu.Unlock()
		if done {
			return
		}
		time.Sleep(time.Second)
	}
	t.Fatalf("%s: did not come\n%s", what, w.story())
}

// story lists all events, for a failing test.
func (w *world) story() string {
	w.mem.mu.Lock()
	defer w.mem.mu.Unlock()
	var b strings.Builder
	for _, e := range w.mem.events {
		fmt.Fprintf(&b, "%s %s %s: %s\n", e.At.Format("15:04:05"), e.Type, e.Step, e.Message)
		if e.Cause != nil {
			fmt.Fprintf(&b, "    %s: %s (%s)\n", e.Cause.Code, e.Cause.Message, e.Cause.Evidence)
		}
	}
	return b.String()
}

func (w *world) phase(p pool.Phase) func() bool {
	return func() bool {
		for _, m := range w.mem.machines {
			if m.Phase == p {
				return true
			}
		}
		return false
	}
}

func (w *world) service(p pool.ServicePhase) func() bool {
	return func() bool { return w.mem.services["db"].Phase == p }
}

// reference is the run that is killed at each commit point: enrol, inspect,
// wipe, deploy a service, remove it, wipe again.
func (w *world) reference(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	w.serve(ctx)
	w.power(true)
	w.until(t, "ready", w.phase(pool.Ready))
	w.until(t, "deploy", func() bool {
		if _, ok := w.mem.services["db"]; ok {
			return true
		}
		w.mem.mu.Unlock()
		defer w.mem.mu.Lock()
		_, _ = w.engine.Load().Deploy(ctx, pool.DeployOptions{Name: "db", Recipe: recipe(), By: "eve"}) // a killed appliance answers nothing: asked again
		return false
	})
	w.until(t, "running", w.service(pool.ServiceRunning))
	w.until(t, "remove", func() bool {
		if p := w.mem.services["db"].Phase; p == pool.ServiceRemoving || p == pool.ServiceRemoved {
			return true
		}
		w.mem.mu.Unlock()
		defer w.mem.mu.Lock()
		_, _ = w.engine.Load().Remove(ctx, "db", true, "eve")
		return false
	})
	w.until(t, "removed", w.service(pool.ServiceRemoved))
	w.until(t, "ready again", w.phase(pool.Ready))
	time.Sleep(2 * time.Minute) // nothing comes after
	stop()
	w.wg.Wait()
	if w.mem.broken != nil {
		t.Fatalf("invariant: %v\n%s", w.mem.broken, w.story())
	}
}

// end is what a run leaves, without what differs between any two runs.
func (w *world) end() string {
	var b strings.Builder
	m := w.mem
	for _, x := range m.machines {
		fmt.Fprintf(&b, "machine %s instance=%q image=%q epoch=%d keyed=%t user=%q wiped=%v\n", x.Phase, x.Instance, x.Image, x.Epoch, x.Key != "", x.BMC.User, m.wipes[x.ID])
		for _, c := range slices.Sorted(maps.Keys(x.Conditions)) {
			fmt.Fprintf(&b, "  %s=%s\n", c, x.Conditions[c].Value)
		}
	}
	owners := append([]string{}, m.opOrder...)
	owners = append(owners, slices.Sorted(maps.Keys(m.instances))...)
	for _, id := range owners {
		if op, ok := m.ops[id]; ok {
			fmt.Fprintf(&b, "operation %s %s by %s\n", op.Kind, op.Status, op.By)
		} else {
			fmt.Fprintf(&b, "instance %d %s\n", m.instances[id].Number, m.instances[id].Phase)
		}
		var rows []*pool.Step
		for _, s := range m.sortedSteps(func(s pool.Step) bool { return s.Owner == id }) {
			rows = append(rows, &s)
		}
		for _, s := range latest(rows) {
			fmt.Fprintf(&b, "  %d %s %s\n", s.Seq, s.Name, s.Status)
		}
	}
	for _, s := range m.services {
		fmt.Fprintf(&b, "service %s %s\n", s.Name, s.Phase)
	}
	for _, name := range slices.Sorted(maps.Keys(m.secrets)) {
		kind, _, _ := strings.Cut(name, "/")
		if kind != "boot" { // a token that was never used may lie there until it expires
			fmt.Fprintf(&b, "secret %s\n", kind)
		}
	}
	fmt.Fprintf(&b, "disk %q\n", w.disk)
	return b.String()
}

// invariants hold after every commit.
func invariants(m *memory) error {
	for _, x := range m.machines {
		if x.Phase == pool.Discovered {
			for _, s := range m.steps {
				if s.Machine == x.ID && s.Executor == pool.ByAgent && s.Status != pool.StepPending && s.Status != pool.StepCancelled {
					return fmt.Errorf("step %s is %s on a discovered machine", s.Key, s.Status)
				}
			}
		}
		if x.Phase == pool.Ready {
			for _, d := range x.Facts.Disks {
				if !m.wipes[x.ID][d.Serial] {
					return fmt.Errorf("ready with disk %s not wiped", d.Serial)
				}
			}
		}
	}
	for _, o := range m.ops {
		if o.Status.Open() && o.Deadline.IsZero() {
			return fmt.Errorf("operation %s has no deadline", o.ID)
		}
		if o.Status == pool.Failed && (o.Cause == nil || o.Cause.Remedy == "") {
			return fmt.Errorf("operation %s failed without cause and remedy", o.ID)
		}
	}
	for _, s := range m.steps {
		if (s.Status == pool.StepRunning || s.Status == pool.StepPending) && s.Deadline.IsZero() {
			return fmt.Errorf("step %s has no deadline", s.Key)
		}
		for name, secret := range m.secrets {
			if s.Task != nil && strings.Contains(string(s.Task.Params)+string(s.Result)+s.Output, secret.Reveal()) {
				return fmt.Errorf("step %s holds secret %s", s.Key, name)
			}
		}
	}
	return nil
}

func run(t *testing.T, f fault) (end string, w *world) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w = newWorld()
		w.disk = "old"
		w.mem.fault, w.mem.check = f, invariants
		w.reference(t)
		end = w.end()
	})
	return end, w
}

func TestKilledAtEachCommit(t *testing.T) {
	want, w := run(t, fault{})
	if len(w.mem.points) < 40 {
		t.Fatalf("only %d commits:\n%s", len(w.mem.points), w.story())
	}
	t.Logf("end:\n%s", want)
	once := maps.Clone(w.runs)
	for n, name := range w.mem.points {
		t.Logf("commit point %d: %s", n+1, name)
		for _, mode := range []string{"kill-before", "kill-after", "fail-before", "fail-after"} {
			t.Run(fmt.Sprintf("%d/%s", n+1, mode), func(t *testing.T) {
				got, w := run(t, fault{at: n + 1, mode: mode})
				if !w.mem.hit {
					t.Fatalf("fault %d was never met", n+1)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("at %q: the end differs (-undisturbed +killed):\n%s\n%s", name, diff, w.story())
				}
				if diff := cmp.Diff(once, w.runs); diff != "" {
					t.Errorf("at %q: events ran another number of times:\n%s", name, diff)
				}
			})
		}
	}
}
