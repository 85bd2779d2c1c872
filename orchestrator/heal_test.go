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

	"appliance/pool"
)

// rackOf runs f against an appliance and n machines that are ready, with the
// service db on one of them; f gets that one and the others.
func rackOf(t *testing.T, n int, r pool.RecipeInfo, f func(ctx context.Context, w, has *world, others []*world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.mem.check = func(m *memory) error { return errors.Join(invariants(m), w.oneOwner(m)) }
		for range n - 1 {
			w.peer()
		}
		all := append([]*world{w}, w.peers...)
		ctx, stop := context.WithCancel(t.Context())
		defer func() {
			for _, x := range all {
				x.wg.Wait()
			}
		}()
		defer stop()
		w.serve(ctx)
		for _, x := range all {
			x.power(true)
		}
		w.until(t, "ready", func() bool {
			ready := 0
			for _, m := range w.mem.machines {
				if m.Phase == pool.Ready {
					ready++
				}
			}
			return ready == n
		})
		if _, err := w.engine.Load().Deploy(ctx, pool.DeployOptions{Name: "db", Recipe: r, By: "eve"}); err != nil {
			t.Fatalf("Deploy: %v", err)
		}
		w.until(t, "running", w.service(pool.ServiceRunning))
		var has *world
		var others []*world
		for _, x := range all {
			if m := w.machineOf(x); m.Instance != "" && w.mem.instances[m.Instance].Number == 1 {
				has = x
			} else {
				others = append(others, x)
			}
		}
		time.Sleep(time.Minute) // the window after the appliance's own start is over
		f(ctx, w, has, others)
		if w.mem.broken != nil {
			t.Errorf("invariant: %v\n%s", w.mem.broken, w.story())
		}
	})
}

// machineOf returns the row of a machine.
func (w *world) machineOf(x *world) pool.Machine {
	w.mem.mu.Lock()
	defer w.mem.mu.Unlock()
	return w.mem.rowOf(x)
}

func (m *memory) rowOf(x *world) pool.Machine {
	for _, r := range m.machines {
		if slices.Contains(r.MACs, x.mac) {
			return r.Clone()
		}
	}
	return pool.Machine{}
}

// oneOwner holds invariants 4 and 9: no two machines that could run the same
// instance; a stateful one leaves its machine only when that was proved off;
// what it leaves is protected.
func (w *world) oneOwner(m *memory) error {
	owns := map[string]string{}
	for _, x := range m.machines {
		if x.Instance == "" {
			continue
		}
		if other := owns[x.Instance]; other != "" {
			return fmt.Errorf("instance %s owns %s and %s", x.Instance, other, x.Name)
		}
		owns[x.Instance] = x.Name
	}
	for _, in := range m.instances {
		h := in.Heal
		if h == nil || h.Stage != pool.HealReplacing {
			continue
		}
		lost := m.machines[h.Machine]
		if m.services[in.Service].Recipe.Stateful && !h.Proof {
			return fmt.Errorf("%s leaves %s without proof that it is off", in.ID, lost.Name)
		}
		if lost.Phase == pool.Active || !lost.Conditions.Is(pool.CondProtected) && lost.Instance == "" {
			return fmt.Errorf("%s was left %s with %v", lost.Name, lost.Phase, lost.Conditions)
		}
	}
	return nil
}

func stateless() pool.RecipeInfo { r := recipe(); r.Stateful = false; return r }
func stateful() pool.RecipeInfo  { r := recipe(); r.Stateful = true; return r }

func (w *world) eventAt(kind string) time.Time {
	w.mem.mu.Lock()
	defer w.mem.mu.Unlock()
	for _, e := range slices.Backward(w.mem.events) {
		if e.Type == kind {
			return e.At
		}
	}
	return time.Time{}
}

func (w *world) one() pool.Instance {
	w.mem.mu.Lock()
	defer w.mem.mu.Unlock()
	for _, in := range w.mem.instances {
		if in.Number == 1 {
			return in
		}
	}
	return pool.Instance{}
}

func TestDeadMachineIsReplaced(t *testing.T) {
	rackOf(t, 2, stateless(), func(ctx context.Context, w, has *world, others []*world) {
		died := time.Now()
		has.lose(false)
		w.until(t, "healed", func() bool {
			return w.mem.services["db"].Phase == pool.ServiceRunning && w.mem.rowOf(others[0]).Instance != ""
		})
		if took := w.eventAt("machine.lost").Sub(died); took > 8*time.Second {
			t.Errorf("the loss was confirmed after %s, want 8 s at most", took)
		}
		if !strings.Contains(w.story(), "proof of power off: true") {
			t.Errorf("it was replaced without proof\n%s", w.story())
		}
		m := w.machineOf(has)
		if m.Phase != pool.Enrolled || m.Instance != "" || m.Key != "" || !m.Conditions.Is(pool.CondProtected) || !m.Conditions.Is(pool.CondHold) || !m.Conditions.Is(pool.CondDirty) {
			t.Errorf("the lost machine is %s of %q with %v", m.Phase, m.Instance, m.Conditions)
		}
		if others[0].times("install") != 1 || others[0].times("start") != 1 {
			t.Errorf("the spare ran %v", others[0].runs)
		}
		before := len(has.ran)
		has.set(func() { has.dead = false })
		has.power(true)
		time.Sleep(10 * time.Minute)
		if len(has.ran) != before || has.disk != "system" {
			t.Errorf("the lost machine, with power again, ran %v; its disk holds %q", has.ran[before:], has.disk)
		}
		if in := w.one(); in.Heal != nil || in.Phase != pool.InstanceRunning {
			t.Errorf("instance %+v", in)
		}
	})
}

func TestStatefulComesBackOnItsChassis(t *testing.T) {
	rackOf(t, 2, stateful(), func(ctx context.Context, w, has *world, others []*world) {
		has.lose(false)
		w.until(t, "recovering", w.service(pool.ServiceRecovering))
		w.until(t, "healed", w.service(pool.ServiceRunning))
		if m := w.machineOf(has); m.Instance == "" || m.Phase != pool.Active || m.Conditions.Is(pool.CondFenced) {
			t.Errorf("the machine is %s of %q with %v", m.Phase, m.Instance, m.Conditions)
		}
		if has.times("install") != 1 || has.times("start") != 2 || has.times("stop") != 0 || len(others[0].ran) != 0 {
			t.Errorf("it ran %v, the spare %v", has.ran, others[0].ran)
		}
		if !strings.Contains(w.story(), "switched on again") {
			t.Errorf("the story does not say how it came back:\n%s", w.story())
		}
	})
}

// TestStatefulWaitsForAPerson: neither replica nor backup; it says so, goes on
// by itself when the machine is repaired, or elsewhere when a person gives the data up.
func TestStatefulWaitsForAPerson(t *testing.T) {
	for _, tt := range []struct {
		name   string
		remedy func(ctx context.Context, t *testing.T, w, has *world)
		spare  bool
	}{
		{"repaired", func(_ context.Context, _ *testing.T, _, has *world) {
			has.set(func() { has.dead = false })
			has.power(true)
		}, false},
		{"without data", func(ctx context.Context, t *testing.T, w, _ *world) {
			e := w.engine.Load()
			if _, err := e.Recover(ctx, "db", pool.RecoverOptions{By: "eve"}); !errors.Is(err, pool.ErrInvalid) {
				t.Errorf("Recover without a word on the data = %v, want ErrInvalid", err)
			}
			if _, err := e.Recover(ctx, "db", pool.RecoverOptions{WithoutData: true, By: "eve"}); err != nil {
				t.Fatalf("Recover: %v", err)
			}
			w.until(t, "it waits for nobody any more", func() bool {
				c := w.mem.services["db"].Cause
				return c == nil || c.Code != "heal.nodata" && strings.Contains(c.Message, "takes another machine")
			})
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rackOf(t, 2, stateful(), func(ctx context.Context, w, has *world, others []*world) {
				has.lose(true)
				w.until(t, "waits", func() bool {
					c := w.mem.services["db"].Cause
					return c != nil && c.Code == "heal.nodata"
				})
				time.Sleep(3 * time.Hour)
				if len(others[0].ran) != 0 || w.machineOf(has).Instance == "" {
					t.Fatalf("a stateful service went elsewhere by itself\n%s", w.story())
				}
				c := w.mem.services["db"].Cause
				if !strings.Contains(c.Message, "neither a replica nor a verified backup") || !strings.Contains(c.Remedy, "--without-data") {
					t.Errorf("cause %+v", c)
				}
				n := 0
				for _, e := range w.mem.events {
					if e.Type == "instance.waiting" {
						n++
					}
				}
				if n != 1 {
					t.Errorf("it said %d times that it waits", n)
				}
				tt.remedy(ctx, t, w, has)
				w.until(t, "healed", w.service(pool.ServiceRunning))
				if spare := w.machineOf(others[0]).Instance != ""; spare != tt.spare {
					t.Errorf("on the spare: %t, want %t\n%s", spare, tt.spare, w.story())
				}
			})
		})
	}
}

func TestReplicaTakesOver(t *testing.T) {
	r := stateful()
	r.Instances, r.Commands = 2, []string{"promote"}
	rackOf(t, 3, r, func(ctx context.Context, w, has *world, others []*world) {
		has.lose(true)
		w.until(t, "promoted", func() bool { return others[0].times("promote")+others[1].times("promote") == 1 })
		w.until(t, "whole again", func() bool {
			return w.mem.services["db"].Phase == pool.ServiceRunning && w.mem.rowOf(others[0]).Instance != "" && w.mem.rowOf(others[1]).Instance != ""
		})
		if m := w.machineOf(has); m.Instance != "" || !m.Conditions.Is(pool.CondProtected) {
			t.Errorf("the lost machine is %s of %q with %v", m.Phase, m.Instance, m.Conditions)
		}
	})
}

func TestBackupIsRestored(t *testing.T) {
	r := stateful()
	r.Commands = []string{"restore"}
	rackOf(t, 2, r, func(ctx context.Context, w, has *world, others []*world) {
		w.mem.mu.Lock()
		w.mem.attrs["service:db verifiedBackup"] = pool.Attribute{Value: `"s3://b/1"`}
		w.mem.mu.Unlock()
		has.lose(true)
		w.until(t, "healed", func() bool {
			return w.mem.services["db"].Phase == pool.ServiceRunning && others[0].times("restore") == 1
		})
		if i := slices.Index(others[0].ran, "restore"); i < slices.Index(others[0].ran, "startDetection") {
			t.Errorf("the spare ran %v", others[0].ran)
		}
	})
}

// TestNoProofNoReplacement: while its BMC says nothing, nobody knows whether
// the machine lives; a person who does may say so.
func TestNoProofNoReplacement(t *testing.T) {
	rackOf(t, 2, stateful(), func(ctx context.Context, w, has *world, others []*world) {
		has.set(func() { has.bmcDown, has.cut = true, true })
		w.until(t, "waits", func() bool {
			c := w.mem.services["db"].Cause
			return c != nil && c.Code == "heal.unproved"
		})
		time.Sleep(time.Hour)
		if len(others[0].ran) != 0 {
			t.Fatalf("it went elsewhere without proof\n%s", w.story())
		}
		e := w.engine.Load()
		w.until(t, "a moment between two tries", func() bool {
			for _, o := range w.mem.ops {
				if o.Status.Open() {
					return false
				}
			}
			return true
		})
		if _, err := e.Recover(ctx, "db", pool.RecoverOptions{WithoutData: true, By: "eve"}); !errors.Is(err, pool.ErrInvalid) || !strings.Contains(err.Error(), "--machine-off") {
			t.Errorf("Recover = %v, want ErrInvalid that asks for --machine-off", err)
		}
		has.power(false)
		if _, err := e.Recover(ctx, "db", pool.RecoverOptions{WithoutData: true, MachineOff: true, By: "eve"}); err != nil {
			t.Fatalf("Recover: %v", err)
		}
		w.until(t, "healed", w.service(pool.ServiceRunning))
		if w.machineOf(others[0]).Instance == "" {
			t.Errorf("it does not run on the spare\n%s", w.story())
		}
	})
}

// TestCutOffAndBack: a machine whose link comes back before it was fenced goes
// on as if nothing had been.
func TestCutOffAndBack(t *testing.T) {
	for _, tt := range []struct {
		name string
		away time.Duration
		bmc  bool
		lost bool
	}{
		{"link flaps", 12 * time.Second, true, false},
		{"no BMC answers", 10 * time.Minute, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rackOf(t, 2, stateful(), func(ctx context.Context, w, has *world, others []*world) {
				has.set(func() { has.cut, has.bmcDown = true, !tt.bmc })
				time.Sleep(tt.away)
				has.set(func() { has.cut, has.bmcDown = false, false })
				time.Sleep(10 * time.Minute)
				if lost := !w.eventAt("machine.lost").IsZero(); lost != tt.lost {
					t.Errorf("lost %t, want %t\n%s", lost, tt.lost, w.story())
				}
				if w.mem.services["db"].Phase != pool.ServiceRunning || len(others[0].ran) != 0 {
					t.Errorf("service %s, spare ran %v\n%s", w.mem.services["db"].Phase, others[0].ran, w.story())
				}
			})
		})
	}
}

func TestStormGuard(t *testing.T) {
	for _, tt := range []struct {
		name string
		hit  func(w *world, all []*world)
		end  func(w *world, all []*world)
		why  string
	}{
		{"power cut", func(_ *world, all []*world) {
			for _, x := range all {
				x.lose(false)
			}
		}, func(*world, []*world) {}, "machines are silent"},
		{"own link", func(w *world, all []*world) {
			w.set(func() { w.linkDown = "eth0" })
			for _, x := range all {
				x.set(func() { x.cut = true })
			}
		}, func(w *world, all []*world) {
			w.set(func() { w.linkDown = "" })
			for _, x := range all {
				x.set(func() { x.cut = false })
			}
		}, "own link eth0 is down"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := stateful()
			r.Instances = 3
			rackOf(t, 4, r, func(ctx context.Context, w, has *world, others []*world) {
				var owners []*world
				for _, x := range append([]*world{has}, others...) {
					if w.machineOf(x).Instance != "" {
						owners = append(owners, x)
					}
				}
				tt.hit(w, owners)
				w.until(t, "stopped", func() bool { return strings.Contains(w.mem.settings[healingKey], `"stopped":true`) })
				time.Sleep(10 * time.Minute)
				for _, o := range w.mem.ops {
					if o.Kind == pool.OpFence {
						t.Fatalf("a machine was fenced in a storm\n%s", w.story())
					}
				}
				s, _ := w.engine.Load().Healing(ctx)
				if !s.Stopped || !strings.Contains(s.Why, tt.why) || len(s.Machines) == 0 {
					t.Errorf("healing %+v", s)
				}
				tt.end(w, owners)
				if _, err := w.engine.Load().ResumeHealing(ctx, "eve"); err != nil {
					t.Fatalf("ResumeHealing: %v", err)
				}
				w.until(t, "healed", func() bool {
					for _, in := range w.mem.instances {
						if in.Phase != pool.InstanceRunning {
							return false
						}
					}
					return true
				})
			})
		})
	}
}

func TestMaintenance(t *testing.T) {
	rackOf(t, 2, stateless(), func(ctx context.Context, w, has *world, others []*world) {
		e := w.engine.Load()
		if _, err := e.Maintain(ctx, "db", "eve", "new memory", 2*time.Hour); err != nil {
			t.Fatalf("Maintain: %v", err)
		}
		has.lose(true)
		time.Sleep(90 * time.Minute)
		if w.one().Phase != pool.InstanceRunning || len(others[0].ran) != 0 {
			t.Fatalf("in maintenance it became %s\n%s", w.one().Phase, w.story())
		}
		w.until(t, "healed after its end", func() bool { return w.mem.rowOf(others[0]).Instance != "" })
		if at := w.eventAt("instance.lost").Sub(w.eventAt("maintenance.started")); at < 2*time.Hour {
			t.Errorf("it was healed after %s", at)
		}
	})
}

// TestStopIsStartedAgain: a stop that the agent pushes is answered by postStop,
// a pause, start and its detection, and by no installation.
func TestStopIsStartedAgain(t *testing.T) {
	r := stateful()
	r.Events = append(r.Events, "preStart", "postStop")
	r.Locator = true
	rackOf(t, 1, r, func(ctx context.Context, w, has *world, _ []*world) {
		in := w.one()
		before := len(has.ran)
		report := pool.WatchReport{Machine: in.Machine, Watch: in.Watch, BootID: in.BootID, State: pool.WatchStopped, Why: "its processes are dead", At: time.Now()}
		if err := w.engine.Load().Watched(ctx, report); err != nil {
			t.Fatalf("Watched: %v", err)
		}
		if err := w.engine.Load().Watched(ctx, report); !errors.Is(err, pool.ErrNotFound) {
			t.Errorf("Watched, said twice = %v, want ErrNotFound", err)
		}
		w.until(t, "running", w.service(pool.ServiceRunning))
		got := strings.Join(has.ran[before:], " ")
		if want := "postStop preStart start locator postStart"; got != want {
			t.Errorf("it ran %q, want %q\n%s", got, want, w.story())
		}
	})
}

// TestRecycledFromInit: an event that fails when it is started again begins
// the instance anew; with retries 0 a person is asked.
func TestRecycledFromInit(t *testing.T) {
	for _, tt := range []struct {
		retries int
		again   bool
	}{{0, false}, {1, true}, {-1, true}} {
		t.Run(fmt.Sprint(tt.retries), func(t *testing.T) {
			r := stateful()
			r.Retries = tt.retries
			rackOf(t, 1, r, func(ctx context.Context, w, has *world, _ []*world) {
				has.set(func() { has.failEvent = "start" })
				in := w.one()
				if err := w.engine.Load().Watched(ctx, pool.WatchReport{Machine: in.Machine, Watch: in.Watch, State: pool.WatchStopped, Why: "x", At: time.Now()}); err != nil {
					t.Fatalf("Watched: %v", err)
				}
				w.until(t, "failed", func() bool {
					for _, in := range w.mem.instances {
						return in.Phase == pool.InstanceFailed
					}
					return false
				})
				has.set(func() { has.failEvent = "" })
				time.Sleep(time.Hour)
				if again := w.one().Phase == pool.InstanceRunning; again != tt.again {
					t.Errorf("running %t, want %t\n%s", again, tt.again, w.story())
				}
				if tt.again && (has.times("init") != 2 || has.times("shutdown") != 0) {
					t.Errorf("it ran %v", has.ran)
				}
			})
		})
	}
}

// TestUnlimitedRetriesBackOff: it is tried for ever, less and less often.
func TestUnlimitedRetriesBackOff(t *testing.T) {
	r := stateful()
	r.Retries = -1
	rackOf(t, 1, r, func(ctx context.Context, w, has *world, _ []*world) {
		has.set(func() { has.failEvent = "start" })
		in := w.one()
		_ = w.engine.Load().Watched(ctx, pool.WatchReport{Machine: in.Machine, Watch: in.Watch, State: pool.WatchStopped, Why: "x", At: time.Now()})
		before := has.times("start")
		time.Sleep(24 * time.Hour)
		if n := has.times("start") - before; n < 100 || n > 200 {
			t.Errorf("%d starts in a day, want one in about 10 minutes", n)
		}
		if in := w.one(); in.Failures < 100 {
			t.Errorf("%d failures counted", in.Failures)
		}
	})
}

func TestFencedByHand(t *testing.T) {
	rackOf(t, 1, stateful(), func(ctx context.Context, w, has *world, _ []*world) {
		m := w.machineOf(has)
		if _, err := w.engine.Load().Start(ctx, m.Name, pool.OpFence, pool.OpParams{}, "eve"); err != nil {
			t.Fatalf("Start(fence): %v", err)
		}
		w.until(t, "fenced", func() bool {
			on := true
			has.set(func() { on = has.on })
			return !on
		})
		w.until(t, "healed", w.service(pool.ServiceRunning))
		synctest.Wait()
		if has.times("start") != 2 || has.times("install") != 1 {
			t.Errorf("it ran %v", has.ran)
		}
	})
}

// TestLateAnswersAreNoLoss: a machine that is on and answered on the network
// just now is busy, however long its agent has been silent.
func TestLateAnswersAreNoLoss(t *testing.T) {
	now := time.Now()
	for _, tt := range []struct {
		name     string
		silent   time.Duration
		answered time.Duration // ago; 0: never
		off      int
		want     bool
	}{
		{"it answered two seconds ago", 25 * time.Second, 2 * time.Second, 0, false},
		{"it answered before its agent fell silent for long", 45 * time.Second, 21 * time.Second, 0, true},
		{"it never answered", 21 * time.Second, 0, 0, true},
		{"not silent for long enough", 19 * time.Second, 0, 0, false},
		{"its BMC says twice that it is off", 5 * time.Second, 4 * time.Second, 2, true},
	} {
		s := &suspect{failed: 2, off: tt.off}
		if tt.answered > 0 {
			s.answered = now.Add(-tt.answered)
		}
		e := &Engine{live: map[string]*presence{"m": {seen: now.Add(-tt.silent)}}, guard: guard{suspects: map[string]*suspect{"m": s}}}
		if _, why, got := e.isLost("m", now); got != tt.want {
			t.Errorf("%s: lost %t (%s), want %t", tt.name, got, why, tt.want)
		}
	}
}

// TestLostVirtualMachineIsRemoved: one that is proved to be off and was
// replaced is undefined with its disk, unless that holds data.
func TestLostVirtualMachineIsRemoved(t *testing.T) {
	for _, tt := range []struct {
		name            string
		driver          pool.Driver
		stateful, proof bool
		removed         bool
	}{
		{"stateless", pool.DriverVM, false, true, true},
		{"stateful", pool.DriverVM, true, true, false},
		{"without proof", pool.DriverVM, false, false, false},
		{"metal", pool.DriverMetal, false, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := &pool.Machine{ID: "m-1", Name: "vm-1", Driver: tt.driver, Phase: pool.Active, Instance: "in-1", Key: "key", Epoch: 3,
				Facts: &pool.Facts{Disks: []pool.Disk{{Name: "vda", Serial: "m-1"}}}, Conditions: pool.Conditions{}}
			in := &pool.Instance{ID: "in-1", Service: "web", Number: 1, Machine: m.ID, Heal: &pool.Heal{Machine: m.ID, Proof: tt.proof}}
			rev := pool.Revision{Recipe: pool.RecipeInfo{Name: "web", Stateful: tt.stateful}}
			v := &iview{now: at(1), in: in, svc: &pool.Service{Name: "web"}, rev: rev, m: m, mint: mint}
			d := v.draft()
			v.disown(&d)
			removed := len(d.Operations) == 1 && d.Operations[0].Kind == pool.OpRelease && d.Operations[0].Params.Wipe && d.Operations[0].Status == pool.Queued
			if kept := m.Conditions.Is(pool.CondProtected) && strings.Contains(m.Conditions[pool.CondProtected].Reason, "data of"); removed != tt.removed || kept == removed {
				t.Errorf("removed %t, want %t; %v", removed, tt.removed, m.Conditions)
			}
			if m.Instance != "" || m.Key != "" || m.Epoch != 4 || m.Phase != pool.Enrolled {
				t.Errorf("left as %+v", m)
			}
		})
	}
}
