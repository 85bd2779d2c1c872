package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"appliance/pool"
)

// commandsOf is an invocation on three instances, with the given status each.
func commandsOf(rolling bool, status ...pool.StepStatus) []*pool.Step {
	var out []*pool.Step
	for i, st := range status {
		p := pool.CommandParams{Service: "web", Command: "reload", Rolling: rolling, Instance: pool.InstanceInfo{ID: fmt.Sprintf("in-%d", i+1), Number: i + 1}}
		out = append(out, &pool.Step{Key: fmt.Sprintf("inv-1/%d", i+1), Owner: p.Instance.ID, Name: "command:reload", Seq: pool.CommandSeq, Status: st,
			Timeout: time.Minute, Deadline: at(100), Task: &pool.Task{Kind: pool.TaskCommand, Params: encode(p)}})
	}
	return out
}

func TestPlanInvocation(t *testing.T) {
	p, r, d, f, c := pool.StepPending, pool.StepRunning, pool.StepDone, pool.StepFailed, pool.StepCancelled
	for _, tt := range []struct {
		name string
		now  int
		in   []pool.StepStatus
		want []pool.StepStatus
		wake int // seconds; 0: none
	}{
		{"all at once", 0, []pool.StepStatus{r, r, d}, []pool.StepStatus{r, r, d}, 100},
		{"the first runs", 0, []pool.StepStatus{r, p, p}, []pool.StepStatus{r, p, p}, 100},
		{"the next begins", 0, []pool.StepStatus{d, p, p}, []pool.StepStatus{d, r, p}, 75},
		{"a failure stops it", 0, []pool.StepStatus{d, f, p}, []pool.StepStatus{d, f, c}, 0},
		{"one that was cut off stops it", 0, []pool.StepStatus{pool.StepInterrupted, p}, []pool.StepStatus{pool.StepInterrupted, c}, 0},
		{"overdue", 100, []pool.StepStatus{r, d, d}, []pool.StepStatus{f, d, d}, 0},
		{"all is done", 500, []pool.StepStatus{d, d, d}, []pool.StepStatus{d, d, d}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			steps := commandsOf(true, tt.in...)
			dr := &draft{now: at(tt.now)}
			wake := planInvocation(dr, steps)
			var got []pool.StepStatus
			for _, s := range steps {
				got = append(got, s.Status)
				if stepOpen(s) != (s.Status == p || s.Status == r) || s.Status == f && tt.now > 0 && (s.Cause == nil || s.Cause.Remedy == "") {
					t.Errorf("step %s: %+v", s.Key, s.Cause)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%v, want %v", got, tt.want)
			}
			if want := map[bool]time.Time{true: at(tt.wake)}[tt.wake != 0]; !wake.Equal(want) {
				t.Errorf("looks again at %s, want %s", wake, want)
			}
		})
	}
}

// A command runs on all instances, its arguments arrive and its results come
// back; what is not there is refused by name.
func TestInvoke(t *testing.T) {
	inHerd(t, 2, func(ctx context.Context, h *herd) {
		h.deploy(ctx, t, elastic(), 2)
		var got []string
		h.command = func(p pool.CommandParams) pool.TaskOutcome {
			got = append(got, fmt.Sprintf("%d %s %s", p.Instance.Number, p.Command, strings.Join(p.Args, ",")))
			value, _ := json.Marshal(pool.EventResult{Value: json.RawMessage(fmt.Sprint(p.Instance.Number * 10))})
			return pool.TaskOutcome{State: "done", Result: value, Output: "said"}
		}
		inv, err := h.engine.Invoke(ctx, "web", pool.InvokeOptions{Command: "addNode", Args: []string{"a", "b"}, By: "eve"})
		if err != nil || inv.Done || len(inv.Results) != 2 {
			t.Fatalf("Invoke = %+v, %v", inv, err)
		}
		inv, err = h.engine.WaitInvocation(ctx, "web", inv.ID)
		if err != nil || !inv.Done || string(inv.Results[1].Value) != "20" || inv.Results[0].Status != pool.StepDone || inv.Results[0].Output != "said" {
			t.Errorf("WaitInvocation = %+v, %v", inv, err)
		}
		slices.Sort(got)
		if want := []string{"1 addNode a,b", "2 addNode a,b"}; !slices.Equal(got, want) {
			t.Errorf("ran %q, want %q", got, want)
		}
		one, err := h.engine.Invoke(ctx, "web", pool.InvokeOptions{Command: "reload", Instance: 2, By: "eve"})
		if err != nil || len(one.Results) != 1 || one.Results[0].Number != 2 {
			t.Errorf("on one instance: %+v, %v", one, err)
		}
		for _, tt := range []struct {
			service string
			o       pool.InvokeOptions
			want    error
			text    string
		}{
			{"web", pool.InvokeOptions{Command: "addnode"}, pool.ErrInvalid, "No such Custom Command: addnode; did you mean addNode?"},
			{"web", pool.InvokeOptions{Command: "reload", Instance: 3}, pool.ErrNotFound, "no instance 3"},
			{"none", pool.InvokeOptions{Command: "reload"}, pool.ErrNotFound, ""},
			{"web", pool.InvokeOptions{Command: "reload", Timeout: 100 * time.Hour}, pool.ErrInvalid, "timeout"},
			{"web", pool.InvokeOptions{Command: "reload", Args: []string{"a\x00b"}}, pool.ErrInvalid, "zero byte"},
			{"web", pool.InvokeOptions{Command: "reload", Args: make([]string, 65)}, pool.ErrInvalid, "arguments"},
		} {
			if _, err := h.engine.Invoke(ctx, tt.service, tt.o); !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("%+v: %v, want %v %s", tt.o, err, tt.want, tt.text)
			}
		}
		if _, err := h.engine.WaitInvocation(ctx, "other", inv.ID); !errors.Is(err, pool.ErrNotFound) {
			t.Errorf("another service's invocation: %v", err)
		}
		h.engine.mu.Lock()
		defer h.engine.mu.Unlock()
		for name := range h.engine.bells {
			if strings.HasPrefix(name, "c:") {
				t.Errorf("bell %s stays", name)
			}
		}
	})
}

// A rolling command runs on one instance at a time, and stops where it fails.
func TestInvokeRolling(t *testing.T) {
	inHerd(t, 3, func(ctx context.Context, h *herd) {
		h.deploy(ctx, t, elastic(), 3)
		var order []int
		fails := 0
		h.command = func(p pool.CommandParams) pool.TaskOutcome {
			order = append(order, p.Instance.Number)
			open, err := h.engine.Store.OpenCommands(ctx)
			running := 0
			for _, s := range open {
				if s.Status == pool.StepRunning {
					running++
				}
			}
			if err != nil || running != 1 {
				t.Errorf("%d run at once, %v", running, err)
			}
			if p.Instance.Number == fails {
				return pool.TaskOutcome{State: "failed", Cause: &pool.Cause{Code: "x", Message: "No.", Remedy: "None."}}
			}
			return pool.TaskOutcome{State: "done"}
		}
		run := func() pool.Invocation {
			order = nil
			inv, err := h.engine.Invoke(ctx, "web", pool.InvokeOptions{Command: "reload", Rolling: true, By: "eve"})
			if err == nil {
				inv, err = h.engine.WaitInvocation(ctx, "web", inv.ID)
			}
			if err != nil {
				t.Fatal(err)
			}
			return inv
		}
		if inv := run(); !slices.Equal(order, []int{1, 2, 3}) || !inv.Done {
			t.Errorf("order %v: %+v", order, inv)
		}
		fails = 2
		inv := run()
		if !slices.Equal(order, []int{1, 2}) || inv.Results[1].Status != pool.StepFailed || inv.Results[2].Status != pool.StepCancelled || inv.Results[2].Cause.Code != "command.stopped" {
			t.Errorf("order %v: %+v", order, inv)
		}
	})
}

// A command whose agent does not answer ends by its deadline; one on an
// instance that is taken down is cancelled; both say why.
func TestCommandsEnd(t *testing.T) {
	inHerd(t, 2, func(ctx context.Context, h *herd) {
		h.deploy(ctx, t, elastic(), 2)
		h.command = func(pool.CommandParams) pool.TaskOutcome { return pool.TaskOutcome{} } // never told
		began := time.Now()
		inv, err := h.engine.Invoke(ctx, "web", pool.InvokeOptions{Command: "reload", Instance: 1, Timeout: 30 * time.Second, By: "eve"})
		if err != nil {
			t.Fatal(err)
		}
		inv, err = h.engine.WaitInvocation(ctx, "web", inv.ID)
		if took := time.Since(began); err != nil || inv.Results[0].Status != pool.StepFailed || inv.Results[0].Cause.Code != "command.timeout" || took > time.Minute {
			t.Errorf("%+v, %v after %s", inv, err, took)
		}
		inv, err = h.engine.Invoke(ctx, "web", pool.InvokeOptions{Command: "reload", Instance: 2, Timeout: time.Hour, By: "eve"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.engine.Scale(ctx, "web", 1, false, "eve"); err != nil {
			t.Fatal(err)
		}
		if inv, err = h.engine.WaitInvocation(ctx, "web", inv.ID); err != nil || inv.Results[0].Status != pool.StepCancelled {
			t.Errorf("%+v, %v", inv, err)
		}
		h.until(t, "one runs", settled("web", 1))
	})
}

// TestInvokeMeetsTheEnd: a command does not begin on an instance that turned
// round while it was written down; nothing would end it before its deadline.
func TestInvokeMeetsTheEnd(t *testing.T) {
	inHerd(t, 1, func(ctx context.Context, h *herd) {
		h.deploy(ctx, t, elastic(), 1)
		turn := func(to pool.ServicePhase) {
			for id, in := range h.mem.instances {
				in.Phase = to
				in.Rev++
				h.mem.instances[id] = in
			}
		}
		met := false
		h.mem.mu.Lock()
		h.mem.check = nil
		h.mem.fault.when = func(point string) bool { // under the lock, before it is written
			if strings.Contains(point, "command.invoked") && !met {
				met = true
				turn(pool.InstanceStopping)
			}
			return false
		}
		h.mem.mu.Unlock()
		inv, err := h.engine.Invoke(ctx, "web", pool.InvokeOptions{Command: "reload", Instance: 1, Timeout: time.Hour, By: "eve"})
		if !met || !errors.Is(err, pool.ErrUnavailable) || !strings.Contains(err.Error(), "stopping") {
			t.Errorf("Invoke = %+v, %v, want it refused", inv, err)
		}
		h.mem.mu.Lock()
		turn(pool.InstanceRunning)
		h.mem.mu.Unlock()
	})
}
