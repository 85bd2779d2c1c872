package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"appliance/pool"
)

// TestPlannerKeepsInvariants walks a machine through random operations,
// agents, BMCs and times: every change that the planner proposes is one that
// the store takes, every running step has a deadline, and what is overdue ends.
func TestPlannerKeepsInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		h := newMemory().open()
		h.check = invariants
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		m, err := h.Discover(ctx, pool.MAC{2}, pool.Client{}, now)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		w := walk{h: h, id: m.ID, now: now, mint: func(p string) string { n++; return fmt.Sprintf("%s-%d", p, n) }}
		w.facts(t)
		t.Repeat(map[string]func(*rapid.T){
			"tick": w.tick,
			"time": func(t *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.IntRange(1, 3600).Draw(t, "seconds")) * time.Second)
			},
			"agent":   w.agent,
			"accept":  w.accept,
			"request": w.request,
			"result":  w.result,
			"cancel":  w.cancel,
			"release": w.release,
			"retry":   func(t *rapid.T) { w.try(t, func(v *view, d *draft) error { return retryMachine(v, d, "eve") }) },
			"":        w.check,
		})
	})
}

type walk struct {
	h      *handle
	id     string
	now    time.Time
	live   presence
	effect *effect
	boots  int
	mint   func(string) string
}

func (w *walk) view(t *rapid.T) *view {
	e := &Engine{Store: w.h}
	v, err := e.view(context.Background(), w.id)
	if err != nil {
		t.Fatal(err)
	}
	v.now, v.live, v.mint, v.settled, v.effect = w.now, w.live, w.mint, time.Time{}, w.effect
	return v
}

// try plans a change; a refusal by its kind is fine, one by the store is not.
func (w *walk) try(t *rapid.T, plan func(*view, *draft) error) {
	v := w.view(t)
	d := &draft{now: w.now, mint: w.mint}
	if err := plan(v, d); err != nil {
		if !errors.Is(err, pool.ErrConflict) && !errors.Is(err, pool.ErrInvalid) && !errors.Is(err, pool.ErrUnavailable) {
			t.Fatalf("refused without a kind: %v", err)
		}
		return
	}
	if err := w.h.Apply(context.Background(), &d.Change); err != nil {
		t.Fatalf("the store refuses what was planned: %v", err)
	}
}

func (w *walk) tick(t *rapid.T) {
	v := w.view(t)
	dec := planMachine(v)
	w.effect = nil
	if dec.run != nil {
		w.effect = rapid.SampledFrom([]*effect{{}, {err: codeError(codeUnreachable)}, {err: codeError(codeAuth)}, {err: errors.New("odd")}}).Draw(t, "effect")
	}
	if !dec.draft.Empty() {
		if err := w.h.Apply(context.Background(), &dec.draft.Change); err != nil {
			t.Fatalf("the store refuses what was planned: %v", err)
		}
	}
	if !dec.wake.IsZero() && !dec.wake.After(w.now) {
		t.Fatalf("wake at %s is not after %s", dec.wake, w.now)
	}
}

func (w *walk) agent(t *rapid.T) {
	w.boots++
	w.live = presence{mode: rapid.SampledFrom([]pool.AgentMode{"", pool.InRAM, pool.Installed}).Draw(t, "mode")}
	if w.live.mode != "" {
		w.live.bootID, w.live.trusted = fmt.Sprint("boot", w.boots), rapid.Bool().Draw(t, "trusted")
		w.live.epoch = rapid.Int64Range(0, 3).Draw(t, "epoch")
	}
}

func (w *walk) some(t *rapid.T) *pool.Facts {
	f := &pool.Facts{At: w.now, CPU: pool.CPU{Cores: 2}, Memory: 1 << 30}
	for i := range rapid.IntRange(1, 2).Draw(t, "disks") {
		d := pool.Disk{Name: fmt.Sprint("d", i), Serial: fmt.Sprint("D", i), Size: uint64(10+i) << 30}
		if rapid.Bool().Draw(t, "content") {
			d.Content = []string{"ext4"}
		}
		f.Disks = append(f.Disks, d)
	}
	return f
}

func (w *walk) facts(t *rapid.T) {
	w.try(t, func(v *view, d *draft) error { setFacts(d.machine(v.m), w.some(t)); return nil })
}

func (w *walk) accept(t *rapid.T) {
	erase := rapid.Bool().Draw(t, "erase")
	w.try(t, func(v *view, d *draft) error {
		if err := free(v, pool.OpEnrol); err != nil {
			return err
		}
		accept(d, v.m, pool.OpParams{Erase: erase}, "rule all", "", nil, v.wiped)
		return nil
	})
}

func (w *walk) request(t *rapid.T) {
	k := rapid.SampledFrom([]pool.OpKind{pool.OpInspect, pool.OpWipe, pool.OpDeploy, pool.OpRescue, pool.OpPower, pool.OpRetire}).Draw(t, "kind")
	p := pool.OpParams{Image: "debian-12", Power: rapid.SampledFrom([]pool.PowerAction{pool.DoPowerOn, pool.DoPowerOff, pool.DoPowerCycle, pool.DoPowerSoft}).Draw(t, "power")}
	if k != pool.OpDeploy {
		p.Image = ""
	}
	w.try(t, func(v *view, d *draft) error { _, err := start(v, d, k, p, "eve"); return err })
}

// result lets the agent carry out what it was given, well or badly.
func (w *walk) result(t *rapid.T) {
	v := w.view(t)
	s := current(v.steps)
	if s == nil || s.Status != pool.StepRunning || s.Executor != pool.ByAgent || w.live.mode != s.Mode || !w.live.trusted {
		return
	}
	if s.Task.Kind == pool.TaskWipe && v.m.Conditions.Is(pool.CondProtected) {
		t.Fatalf("a wipe runs on a protected machine")
	}
	o := pool.TaskOutcome{State: rapid.SampledFrom([]string{"done", "done", "done", "failed", "interrupted"}).Draw(t, "state")}
	switch s.Task.Kind {
	case pool.TaskFacts:
		o.Result = encode(w.some(t))
	case pool.TaskBMCUser:
		o.Result = encode(pool.BMCUserResult{None: rapid.Bool().Draw(t, "none")})
	case pool.TaskWipe:
		f := *v.m.Facts
		f.Disks = slices.Clone(f.Disks)
		var r pool.WipeResult
		for i := range f.Disks {
			if slices.Contains(v.op.Params.Disks, f.Disks[i].Serial) {
				f.Disks[i].Content = nil
				r.Wiped = append(r.Wiped, pool.WipedDisk{Serial: f.Disks[i].Serial, Method: "zero"})
			}
		}
		r.Facts = &f
		o.Result = encode(r)
	case pool.TaskImage, pool.TaskReboot, pool.TaskPowerOff, pool.TaskPrepare, pool.TaskEvent, pool.TaskDetect, pool.TaskCleanup, pool.TaskCommand, pool.TaskLook, pool.TaskWatch:
	}
	d := &draft{now: w.now, mint: w.mint}
	s.BootID = w.live.bootID
	v.result(d, s, o)
	if err := w.h.Apply(context.Background(), &d.Change); err != nil {
		t.Fatalf("the store refuses the result of %s: %v", s.Name, err)
	}
}

func (w *walk) cancel(t *rapid.T) {
	w.try(t, func(v *view, d *draft) error {
		if v.op != nil {
			d.operation(v.op).CancelAsked = w.now
		}
		return nil
	})
}

func (w *walk) release(t *rapid.T) {
	wipe := rapid.Bool().Draw(t, "wipe")
	w.try(t, func(v *view, d *draft) error {
		if v.m.Phase == pool.Enrolled {
			return lift(v, d, "eve", pool.ReleaseOptions{Wipe: wipe})
		}
		if err := free(v, pool.OpRelease); err != nil {
			return err
		}
		release(d, v.m, v.wiped, wipe, "why", "eve")
		return nil
	})
}

func (w *walk) check(t *rapid.T) {
	if w.h.broken != nil {
		t.Fatal(w.h.broken)
	}
	v := w.view(t)
	if v.op == nil {
		return
	}
	running := 0
	for _, s := range v.steps {
		if s.Status == pool.StepRunning {
			running++
		}
	}
	if running > 1 {
		t.Fatalf("%d steps of one operation run at once", running)
	}
	// What is overdue ends when it is looked at.
	v.now = v.op.Deadline.Add(time.Second)
	v.effect = nil
	if dec := planMachine(v); dec.draft.Empty() {
		t.Fatalf("operation %s at step %s is overdue and nothing is done", v.op.Kind, v.op.Step)
	}
}

func TestSummary(t *testing.T) {
	for _, tt := range []struct{ result, want string }{
		{"", ""}, {`{"value":5}`, ""}, {`{"value":{"summary":5}}`, ""},
		{`{"value":{"summary":"3 of 12 resources changed","changed":3}}`, ": 3 of 12 resources changed"},
		{`{"value":{"summary":"a\nb"}}`, ": a b"},
	} {
		if got := summary(json.RawMessage(tt.result)); got != tt.want {
			t.Errorf("summary(%s) = %q, want %q", tt.result, got, tt.want)
		}
	}
}
