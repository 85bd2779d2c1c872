package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"appliance/pool"
	"appliance/store"
)

var _ Store = (*store.DB)(nil)

// live runs f against an appliance and a machine that was switched on.
func live(t *testing.T, setup func(*world), f func(ctx context.Context, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.mem.check = invariants
		setup(w)
		ctx, stop := context.WithCancel(t.Context())
		defer w.wg.Wait()
		defer stop()
		w.serve(ctx)
		w.power(true)
		f(ctx, w)
		if w.mem.broken != nil {
			t.Errorf("invariant: %v\n%s", w.mem.broken, w.story())
		}
	})
}

func (w *world) only() pool.Machine {
	w.mem.mu.Lock()
	defer w.mem.mu.Unlock()
	for _, m := range w.mem.machines {
		return m.Clone()
	}
	return pool.Machine{}
}

func (w *world) lastOp() pool.Operation {
	w.mem.mu.Lock()
	defer w.mem.mu.Unlock()
	if n := len(w.mem.opOrder); n > 0 {
		return w.mem.ops[w.mem.opOrder[n-1]]
	}
	return pool.Operation{}
}

// opEnds waits until the last operation has ended.
func (w *world) opEnds(t *testing.T) pool.Operation {
	t.Helper()
	w.until(t, "end of operation", func() bool {
		n := len(w.mem.opOrder)
		return n > 0 && !w.mem.ops[w.mem.opOrder[n-1]].Status.Open()
	})
	return w.lastOp()
}

func deployDB(ctx context.Context, t *testing.T, w *world) {
	t.Helper()
	w.until(t, "ready", w.phase(pool.Ready))
	if _, err := w.engine.Load().Deploy(ctx, pool.DeployOptions{Name: "db", Recipe: recipe(), By: "eve"}); err != nil {
		t.Fatalf("Deploy: %v", err)
	}
}

func TestProtectedUntilNamed(t *testing.T) {
	live(t, func(w *world) { w.disk, w.rules = "old", []AcceptRule{{Name: "all"}} }, func(ctx context.Context, w *world) {
		w.until(t, "protected", func() bool {
			for _, m := range w.mem.machines {
				return m.Phase == pool.Enrolled && m.Conditions.Is(pool.CondProtected)
			}
			return false
		})
		time.Sleep(time.Hour)
		if m := w.only(); w.disk != "old" || m.Phase != pool.Enrolled {
			t.Fatalf("disk %q, phase %s: a protected disk was touched\n%s", w.disk, m.Phase, w.story())
		}
		e := w.engine.Load()
		if _, err := e.Start(ctx, w.only().ID, pool.OpWipe, pool.OpParams{}, "eve"); !errors.Is(err, pool.ErrConflict) {
			t.Errorf("Start(wipe) = %v, want ErrConflict", err)
		}
		if _, err := e.Release(ctx, w.only().ID, "eve", pool.ReleaseOptions{Wipe: true}); !errors.Is(err, pool.ErrInvalid) {
			t.Errorf("Release without serials = %v, want ErrInvalid", err)
		}
		if _, err := e.Release(ctx, w.only().ID, "eve", pool.ReleaseOptions{Serials: []string{"D1"}}); err != nil {
			t.Fatalf("Release: %v", err)
		}
		w.until(t, "ready", w.phase(pool.Ready))
	})
}

// TestBMCSaysWhoItIs: one that told nothing in-band is asked over the network
// when it is enrolled, and known by that from then on.
func TestBMCSaysWhoItIs(t *testing.T) {
	for name, guid := range map[string]string{"over the network": "rakp-1", "in-band": ""} {
		t.Run(name, func(t *testing.T) {
			live(t, func(w *world) { w.lanGUID = guid }, func(_ context.Context, w *world) {
				w.until(t, "ready", w.phase(pool.Ready))
				want := guid
				if want == "" {
					want = "g"
				}
				if b := w.only().BMC; b == nil || b.GUID != want {
					t.Errorf("its BMC is known as %+v, want GUID %q", b, want)
				}
			})
		})
	}
}

func TestNobodyAccepts(t *testing.T) {
	live(t, func(w *world) { w.disk, w.rules = "old", nil }, func(ctx context.Context, w *world) {
		time.Sleep(5 * time.Minute)
		if l := w.engine.Load().Live(w.only().ID); l.Agent != pool.InRAM {
			t.Errorf("agent after 5 minutes = %q, want it to wait in RAM", l.Agent)
		}
		time.Sleep(10 * time.Minute)
		if l := w.engine.Load().Live(w.only().ID); l.Agent != "" {
			t.Errorf("agent after 15 minutes = %q, want none: it boots its disk", l.Agent)
		}
		if m := w.only(); m.Phase != pool.Discovered || m.Facts == nil || len(w.mem.steps) != 0 || w.disk != "old" {
			t.Errorf("phase %s, %d steps, disk %q: something was done to a discovered machine", m.Phase, len(w.mem.steps), w.disk)
		}
		st, _, err := w.engine.Load().BootState(ctx, w.mac, true)
		if err != nil || st.NeedsRAM || !st.HasFacts {
			t.Errorf("BootState = %+v, %v", st, err)
		}
		e := w.engine.Load()
		if _, err := e.MintBootToken(ctx, w.only().ID); !errors.Is(err, pool.ErrConflict) {
			t.Errorf("MintBootToken = %v, want ErrConflict", err)
		}
		if _, err := e.Accept(ctx, w.only().ID, "eve", pool.AcceptOptions{Erase: true}); !errors.Is(err, pool.ErrInvalid) || !strings.Contains(err.Error(), "D1") {
			t.Errorf("Accept(erase) = %v, want ErrInvalid that names D1", err)
		}
		if _, err := e.Accept(ctx, w.only().ID, "eve", pool.AcceptOptions{Erase: true, Serials: []string{"D1"}, Name: "red"}); err != nil {
			t.Fatalf("Accept: %v", err)
		}
		w.reboot() // a person switches it on again
		w.until(t, "ready", w.phase(pool.Ready))
		if m := w.only(); m.Name != "red" || m.AcceptedBy != "eve" {
			t.Errorf("name %q accepted by %q", m.Name, m.AcceptedBy)
		}
	})
}

func TestBMCAwayForAWhile(t *testing.T) {
	away := func(w *world) {
		w.onTask = func(s pool.Step) bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			if s.Name == stepImage {
				w.bmcDown = true
				time.AfterFunc(40*time.Second, func() { w.mu.Lock(); w.bmcDown = false; w.mu.Unlock() })
			}
			return false
		}
	}
	live(t, away, func(ctx context.Context, w *world) {
		deployDB(ctx, t, w)
		w.until(t, "running", w.service(pool.ServiceRunning))
		if story := w.story(); !strings.Contains(story, "bmc is unreachable") || !strings.Contains(story, "boot-disk is tried again") {
			t.Errorf("the story does not tell of the BMC:\n%s", story)
		}
		in := pool.Instance{}
		for _, in = range w.mem.instances {
		}
		if in.Endpoint != "10.0.0.2:3306" {
			t.Errorf("endpoint %q", in.Endpoint)
		}
	})
}

func TestSilentMachineFailsWithinFiveSeconds(t *testing.T) {
	live(t, func(*world) {}, func(ctx context.Context, w *world) {
		w.until(t, "ready", w.phase(pool.Ready))
		w.power(false)
		time.Sleep(time.Minute)
		w.mu.Lock()
		w.bmcDown = true
		w.mu.Unlock()
		op, err := w.engine.Load().Start(ctx, w.only().Name, pool.OpInspect, pool.OpParams{}, "eve")
		if err != nil {
			t.Fatalf("Start: %v", err)
		}
		op = w.opEnds(t)
		if op.Status != pool.Failed || op.Cause.Code != codeUnreachable || op.Cause.Remedy == "" || len(op.Cause.Tried) == 0 {
			t.Errorf("operation %s, cause %+v", op.Status, op.Cause)
		}
		if took := op.EndedAt.Sub(op.StartedAt); took > 5*time.Minute+5*time.Second {
			t.Errorf("it took %s", took)
		}
		if m := w.only(); m.Phase != pool.Enrolled || !m.Conditions.Is(pool.CondBroken) {
			t.Errorf("phase %s, conditions %v: want it out of the pool", m.Phase, m.Conditions)
		}
		w.mu.Lock()
		w.bmcDown = false
		w.mu.Unlock()
		if err := w.engine.Load().Retry(ctx, w.only().Name, "eve"); err != nil {
			t.Fatalf("Retry: %v", err)
		}
		w.until(t, "ready", w.phase(pool.Ready))
	})
}

func TestRebootDuringImageRunsItAgain(t *testing.T) {
	n := 0
	live(t, func(w *world) {
		w.onTask = func(s pool.Step) bool {
			if s.Name != stepImage {
				return false
			}
			n++
			return n == 1
		}
	}, func(ctx context.Context, w *world) {
		deployDB(ctx, t, w)
		w.until(t, "running", w.service(pool.ServiceRunning))
		if n != 2 || !strings.Contains(w.story(), "step.interrupted image") {
			t.Errorf("image ran %d times\n%s", n, w.story())
		}
	})
}

func TestFailedEventIsToldRetriedAndRemoved(t *testing.T) {
	live(t, func(w *world) { w.failEvent = "install" }, func(ctx context.Context, w *world) {
		deployDB(ctx, t, w)
		w.until(t, "failed", w.service(pool.ServiceFailed))
		if w.times("install") != 3 || w.times("init") != 1 {
			t.Errorf("install ran %d times, init %d", w.times("install"), w.times("init"))
		}
		if c := w.mem.services["db"].Cause; c == nil || c.Code != "event.failed" || c.Step != "install" || len(c.Tried) == 0 {
			t.Errorf("cause %+v", c)
		}
		w.mu.Lock()
		w.failEvent = "preStop"
		w.mu.Unlock()
		if err := w.engine.Load().Retry(ctx, "db", "eve"); err != nil {
			t.Fatalf("Retry: %v", err)
		}
		w.until(t, "running", w.service(pool.ServiceRunning))
		if w.times("init") != 1 {
			t.Errorf("init ran %d times", w.times("init"))
		}
		if _, err := w.engine.Load().Remove(ctx, "db", false, "eve"); err != nil {
			t.Fatalf("Remove: %v", err)
		}
		w.until(t, "removed", w.service(pool.ServiceRemoved))
		m := w.only()
		if m.Phase != pool.Enrolled || !m.Conditions.Is(pool.CondProtected) || m.Key != "" || m.Instance != "" || m.Epoch != 2 {
			t.Errorf("machine after removal: %+v", m)
		}
		v, err := w.engine.Load().AgentHello(ctx, pool.AgentHello{Machine: m.ID, MAC: w.mac, Mode: pool.Installed, BootID: "late", Epoch: 1})
		if err != nil || v.State != verdictFenced {
			t.Errorf("hello of the old owner = %s, %v; want fenced", v.State, err)
		}
		time.Sleep(time.Hour)
		if w.disk != "system" {
			t.Errorf("the disk of a removed service was touched: %q", w.disk)
		}
	})
}

func TestInterruptedEventWaitsForAPerson(t *testing.T) {
	live(t, func(*world) {}, func(ctx context.Context, w *world) {
		deployDB(ctx, t, w)
		w.mu.Lock()
		w.onTask = nil
		w.mu.Unlock()
		w.until(t, "init", func() bool {
			for _, s := range w.mem.steps {
				if s.Name == "init" && s.BootID != "" {
					return true
				}
			}
			return false
		})
		e := w.engine.Load()
		var s pool.Step
		for _, s = range w.mem.sortedSteps(func(s pool.Step) bool { return s.Name == "init" }) {
		}
		token := w.mem.secrets[tokenSecret(s.Owner)].Reveal()
		out := pool.TaskOutcome{Machine: s.Machine, Key: s.Key, Token: "wrong", BootID: s.BootID, State: "interrupted"}
		if err := e.TaskResult(ctx, out); !errors.Is(err, pool.ErrNotFound) {
			t.Errorf("result with a wrong token = %v, want ErrNotFound", err)
		}
		out.Token = token
		if err := e.TaskResult(ctx, out); err != nil {
			t.Fatalf("TaskResult: %v", err)
		}
		if c := w.mem.services["db"].Cause; c == nil || c.Code != "step.interrupted" {
			t.Errorf("cause %+v", c)
		}
		out.State = "done"
		if err := e.TaskResult(ctx, out); !errors.Is(err, pool.ErrNotFound) {
			t.Errorf("late result = %v, want ErrNotFound", err)
		}
		if err := e.TaskProgress(ctx, s.Machine, s.Key, token, s.BootID, pool.Progress{}); !errors.Is(err, pool.ErrNotFound) {
			t.Errorf("late progress = %v, want ErrNotFound", err)
		}
		if err := e.Retry(ctx, "db", "eve"); err != nil {
			t.Fatalf("Retry: %v", err)
		}
		w.until(t, "running", w.service(pool.ServiceRunning))
	})
}

func TestWithoutBMC(t *testing.T) {
	live(t, func(w *world) { w.noBMC = true }, func(ctx context.Context, w *world) {
		deployDB(ctx, t, w)
		w.until(t, "running", w.service(pool.ServiceRunning))
		if m := w.only(); m.BMC != nil || m.Conditions[pool.CondBMC].Value != "none" {
			t.Errorf("BMC %+v, condition %v", m.BMC, m.Conditions[pool.CondBMC])
		}
		if _, err := w.engine.Load().Remove(ctx, "db", true, "eve"); err != nil {
			t.Fatalf("Remove: %v", err)
		}
		w.until(t, "ready", w.phase(pool.Ready))
		w.power(false)
		time.Sleep(time.Minute)
		if _, err := w.engine.Load().Start(ctx, w.only().ID, pool.OpInspect, pool.OpParams{}, "eve"); err != nil {
			t.Fatalf("Start: %v", err)
		}
		w.until(t, "a request to a person", func() bool {
			for _, e := range w.mem.events {
				if strings.Contains(e.Message, "Switch on machine") {
					return true
				}
			}
			return false
		})
		if op := w.lastOp(); op.Status != pool.Waiting || op.Waiting != pool.WaitOperator {
			t.Errorf("operation %s waits on %q", op.Status, op.Waiting)
		}
		w.power(true)
		if op := w.opEnds(t); op.Status != pool.Succeeded {
			t.Errorf("operation %s: %+v", op.Status, op.Cause)
		}
	})
}

func TestCancelWhileImageIsWritten(t *testing.T) {
	live(t, func(*world) {}, func(ctx context.Context, w *world) {
		deployDB(ctx, t, w)
		w.until(t, "image", func() bool {
			for _, s := range w.mem.steps {
				if s.Name == stepImage && s.BootID != "" {
					return true
				}
			}
			return false
		})
		at := time.Now()
		if err := w.engine.Load().Cancel(ctx, w.lastOp().ID, "eve"); err != nil {
			t.Fatalf("Cancel: %v", err)
		}
		if took := time.Since(at); took > 30*time.Second {
			t.Errorf("answered after %s", took)
		}
		w.until(t, "failed", w.service(pool.ServiceFailed))
		if m := w.only(); m.Phase != pool.Reserved || !m.Conditions.Is(pool.CondDirty) {
			t.Errorf("machine %s %v", m.Phase, m.Conditions)
		}
		if err := w.engine.Load().Retry(ctx, "db", "eve"); err != nil {
			t.Fatalf("Retry: %v", err)
		}
		w.until(t, "running", w.service(pool.ServiceRunning))
	})
}

func TestRefusals(t *testing.T) {
	live(t, func(*world) {}, func(ctx context.Context, w *world) {
		w.until(t, "ready", w.phase(pool.Ready))
		e := w.engine.Load()
		for _, k := range []pool.OpKind{pool.OpAdopt, pool.OpTest, pool.OpConfigure, pool.OpUpdate} {
			if _, err := e.Start(ctx, w.only().ID, k, pool.OpParams{}, "eve"); !errors.Is(err, pool.ErrInvalid) || !strings.Contains(err.Error(), "later version") {
				t.Errorf("Start(%s) = %v", k, err)
			}
		}
		if _, err := e.Start(ctx, w.only().ID, pool.OpFence, pool.OpParams{}, "eve"); !errors.Is(err, pool.ErrConflict) {
			t.Errorf("fence of a ready machine = %v, want ErrConflict", err)
		}
		if _, err := e.Start(ctx, w.only().ID, pool.OpWipe, pool.OpParams{}, "eve"); !errors.Is(err, pool.ErrConflict) {
			t.Errorf("wipe of a ready machine = %v, want ErrConflict", err)
		}
		for _, tt := range []struct {
			name string
			o    pool.DeployOptions
			want error
			text string
		}{
			{"unknown template", pool.DeployOptions{Recipe: recipe(), Template: "SMALL_LINIX"}, pool.ErrInvalid, "SMALL_LINUX"},
			{"too large", pool.DeployOptions{Recipe: recipe(), Template: "LARGE_LINUX"}, pool.ErrUnavailable, "has 2 cores, wants 16"},
			{"too many", pool.DeployOptions{Recipe: recipe(), Instances: 4}, pool.ErrInvalid, "1 to 3"},
			{"more than there are", pool.DeployOptions{Recipe: recipe(), Instances: 2}, pool.ErrUnavailable, "1 fits"},
			{"bad name", pool.DeployOptions{Name: "DB!", Recipe: recipe()}, pool.ErrInvalid, "lower-case"},
			{"unknown image", pool.DeployOptions{Recipe: recipe(), Image: "debian-21"}, pool.ErrInvalid, "debian-12"},
		} {
			if _, err := e.Deploy(ctx, tt.o); !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("%s: Deploy = %v, want %v with %q", tt.name, err, tt.want, tt.text)
			}
		}
		deployDB(ctx, t, w)
		if _, err := e.Deploy(ctx, pool.DeployOptions{Name: "db", Recipe: recipe()}); !errors.Is(err, pool.ErrConflict) {
			t.Errorf("second Deploy = %v, want ErrConflict", err)
		}
		if _, err := e.Deploy(ctx, pool.DeployOptions{Name: "db2", Recipe: recipe()}); !errors.Is(err, pool.ErrUnavailable) || !strings.Contains(err.Error(), "fits, but is") {
			t.Errorf("Deploy on a busy pool = %v", err)
		}
	})
}

func TestBootToken(t *testing.T) {
	live(t, func(*world) {}, func(ctx context.Context, w *world) {
		w.until(t, "ready", w.phase(pool.Ready))
		e := w.engine.Load()
		first, err := e.MintBootToken(ctx, w.only().ID)
		if err != nil {
			t.Fatal(err)
		}
		second, err := e.MintBootToken(ctx, w.only().ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.UseBootToken(ctx, w.mac, first.Reveal()); !errors.Is(err, pool.ErrNotFound) {
			t.Errorf("revoked token = %v, want ErrNotFound", err)
		}
		id, err := e.UseBootToken(ctx, w.mac, second.Reveal())
		if err != nil || id != w.only().ID {
			t.Fatalf("UseBootToken = %q, %v", id, err)
		}
		hello := pool.AgentHello{Machine: id, MAC: w.mac, Mode: pool.InRAM, BootID: "other", Key: "new"}
		if v, err := e.AgentHello(ctx, hello); err != nil || v.State != verdictWork || !v.Certify || w.only().Key != "new" {
			t.Errorf("hello with a token = %+v, %v", v.State, err)
		}
		if _, err := e.UseBootToken(ctx, w.mac, second.Reveal()); !errors.Is(err, pool.ErrNotFound) {
			t.Errorf("spent token = %v, want ErrNotFound", err)
		}
		hello.Machine, hello.Key, hello.BootID = "", "stranger", "third"
		hello.Address = netip.MustParseAddr("10.6.6.6")
		before, was := w.only(), e.Live(id)
		if v, err := e.AgentHello(ctx, hello); err != nil || v.State != verdictWait || v.Certify {
			t.Errorf("hello of a stranger = %+v, %v", v.State, err)
		}
		hello.Mode = pool.Installed
		if v, err := e.AgentHello(ctx, hello); err != nil || v.State != verdictFenced || v.Certify {
			t.Errorf("hello of an installed stranger = %+v, %v", v.State, err)
		}
		if now := e.Live(id); now.BootID != was.BootID || now.Agent != was.Agent || w.only().Rev != before.Rev {
			t.Errorf("a stranger changed what is known of the machine: boot %q, agent %q, revision %d; was %q, %q, %d",
				now.BootID, now.Agent, w.only().Rev, was.BootID, was.Agent, before.Rev)
		}
		third, err := e.MintBootToken(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(tokenTime + time.Second)
		if _, err := e.UseBootToken(ctx, w.mac, third.Reveal()); !errors.Is(err, pool.ErrNotFound) {
			t.Errorf("old token = %v, want ErrNotFound", err)
		}
	})
}

// TestHelloOfManyMachines: who makes machines up fills neither the disk nor the
// list; a machine with an address of its own is let in all the same.
func TestHelloOfManyMachines(t *testing.T) {
	live(t, func(*world) {}, func(ctx context.Context, w *world) {
		w.until(t, "ready", w.phase(pool.Ready))
		e := w.engine.Load()
		say := func(from string, n int) error {
			_, err := e.AgentHello(ctx, pool.AgentHello{MAC: pool.MAC{2, 0, 0, 0, byte(n >> 8), byte(n)}, Mode: pool.InRAM,
				BootID: fmt.Sprint(n), Address: netip.MustParseAddr(from), Facts: &pool.Facts{Hostname: "made-up"}})
			return err
		}
		for n := range 10 * maxArrivals {
			if err := say("10.6.6.6", n); err != nil && (!errors.Is(err, pool.ErrUnavailable) || !strings.Contains(err.Error(), "10.6.6.6")) {
				t.Fatal(err)
			}
		}
		w.mem.mu.Lock()
		got := len(w.mem.machines)
		w.mem.mu.Unlock()
		if got != 1+maxArrivals {
			t.Errorf("%d machines, want %d and the one that is there", got, maxArrivals)
		}
		if err := say("10.6.6.6", 0); err != nil {
			t.Errorf("a machine that is known: %v", err)
		}
		if err := say("10.6.6.7", 20*maxArrivals); err != nil {
			t.Errorf("another address: %v", err)
		}
		time.Sleep(arrivalWindow)
		if err := say("10.6.6.6", 20*maxArrivals+1); err != nil {
			t.Errorf("an hour later: %v", err)
		}
	})
}

func TestBootLoopEndsAtTheDisk(t *testing.T) {
	live(t, func(*world) {}, func(ctx context.Context, w *world) {
		w.until(t, "ready", w.phase(pool.Ready))
		e := w.engine.Load()
		for n := range 3 {
			st, _, err := e.BootState(ctx, w.mac, true)
			if err != nil || st.LoopStop {
				t.Fatalf("fetch %d: %+v, %v", n, st, err)
			}
			e.AgentFetched(w.mac)
		}
		st, _, err := e.BootState(ctx, w.mac, true)
		if err != nil || !st.LoopStop || w.only().Conditions[pool.CondHealth].Value != "warn" {
			t.Errorf("after 3 fetches: %+v, %v, %v", st.LoopStop, err, w.only().Conditions)
		}
	})
}

// TestDowntimeIsAddedToDeadlines: also where the clock was an hour ahead when
// they were made, and was set right while the appliance was down.
func TestDowntimeIsAddedToDeadlines(t *testing.T) {
	t.Run("down for two days", func(t *testing.T) { extended(t, 0, 48*time.Hour) })
	t.Run("the clock was ahead", func(t *testing.T) { extended(t, time.Hour, time.Minute) })
}

func extended(t *testing.T, ahead, down time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		h := newMemory().open()
		now := time.Now().UTC().Add(ahead)
		m, err := h.Discover(t.Context(), pool.MAC{2}, pool.Client{}, now)
		if err != nil {
			t.Fatal(err)
		}
		d := &draft{now: now, mint: mint}
		op := accept(d, &m, pool.OpParams{}, "eve", "", nil, nil)
		op.Status, op.StartedAt = pool.Running, now
		s := d.newSteps(op.ID, m.ID, 0, 1, now.Add(time.Hour), []string{stepTrust}, opSpec)[0]
		d.begin(s)
		want := s.Deadline.Add(down - ahead)
		if err := h.Apply(t.Context(), &d.Change); err != nil {
			t.Fatal(err)
		}
		if err := h.SetSetting(t.Context(), beatKey, now.Format(time.RFC3339Nano)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(down)
		e := &Engine{Store: h}
		e.init()
		for range 2 { // killed and started again: it does not happen twice
			if err := e.resume(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		e.q.close()
		got, err := h.Step(t.Context(), s.Key)
		if err != nil || !got.Deadline.Equal(want) {
			t.Errorf("deadline %v, want %v (%v)", got.Deadline, want, err)
		}
	})
}
