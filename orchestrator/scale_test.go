package orchestrator

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"appliance/pool"
)

// A person scales out and back: the highest number goes first, drained and
// stopped by its recipe, its machine wiped and back in the pool.
func TestScaleOutAndIn(t *testing.T) {
	inHerd(t, 3, func(ctx context.Context, h *herd) {
		h.deploy(ctx, t, elastic(), 1)
		if _, err := h.engine.Scale(ctx, "web", 3, false, "eve"); err != nil {
			t.Fatal(err)
		}
		h.until(t, "three run", settled("web", 3))
		for n, want := range map[int]error{0: pool.ErrInvalid, 4: pool.ErrInvalid} {
			if _, err := h.engine.Scale(ctx, "web", n, false, "eve"); !errors.Is(err, want) {
				t.Errorf("Scale to %d: %v, want %v", n, err, want)
			}
		}
		h.events = nil
		if _, err := h.engine.Scale(ctx, "web", 1, false, "eve"); err != nil {
			t.Fatal(err)
		}
		h.until(t, "one runs", settled("web", 1))
		for _, n := range []string{"web/3", "web/2"} {
			if i, j := slices.Index(h.events, n+" preStop"), slices.Index(h.events, n+" stop"); i < 0 || j < i {
				t.Errorf("%s was not drained, then stopped: %q", n, h.events)
			}
		}
		h.until(t, "machines are back", func(m *memory) bool {
			free := 0
			for _, x := range m.machines {
				if x.Phase == pool.Ready {
					free++
				}
			}
			return free == 2
		})
		h.mem.mu.Lock()
		defer h.mem.mu.Unlock()
		if in := h.mem.instances; len(in) != 3 {
			t.Errorf("%d instances are remembered", len(in))
		}
		var got []string
		for _, d := range h.mem.decisions {
			got = append(got, string(d.Action)+" by "+d.By)
		}
		if want := []string{"out by eve", "in by eve"}; !slices.Equal(got, want) {
			t.Errorf("decisions %q, want %q", got, want)
		}
	})
}

func TestScaleRefusals(t *testing.T) {
	inHerd(t, 1, func(ctx context.Context, h *herd) {
		r := elastic()
		h.deploy(ctx, t, r, 1)
		if _, err := h.engine.Scale(ctx, "web", 2, false, "eve"); !errors.Is(err, pool.ErrUnavailable) || !strings.Contains(err.Error(), "2 free") && !strings.Contains(err.Error(), "1 free machine") {
			t.Errorf("without a machine: %v", err)
		}
		h.mem.mu.Lock()
		svc := h.mem.services["web"]
		if svc.Instances != 1 || svc.Phase != pool.ServiceRunning {
			t.Errorf("a refusal changed the service: %+v", svc)
		}
		svc.Recipe.Elastic = false
		h.mem.services["web"] = svc
		h.mem.mu.Unlock()
		if _, err := h.engine.Scale(ctx, "web", 2, false, "eve"); !errors.Is(err, pool.ErrInvalid) || !strings.Contains(err.Error(), "not elastic") {
			t.Errorf("not elastic: %v", err)
		}
		if _, err := h.engine.Scale(ctx, "none", 2, false, "eve"); !errors.Is(err, pool.ErrNotFound) {
			t.Errorf("unknown: %v", err)
		}
	})
}

// rules scale by sessions: above 10 one more, below 3 one less.
func rules() pool.RecipeInfo {
	r := elastic()
	r.HasMonitors = true
	average := pool.Statistic{Kind: pool.StatAverage}
	r.Scaling = pool.Scaling{Sampling: 10 * time.Second, OutCooldown: 2 * time.Minute, InCooldown: time.Minute, Rules: []pool.ScalingRule{{
		Metric: "Sessions", Window: 30 * time.Second, Time: average, Instances: average,
		High: &pool.Threshold{Value: 10, By: 1}, Low: &pool.Threshold{Value: 3, By: 1}}}}
	return r
}

// The whole loop: samples, decision, machines, cool-down, and back; each
// decision with the numbers it was made on.
func TestScalingRules(t *testing.T) {
	inHerd(t, 3, func(ctx context.Context, h *herd) {
		load := 20.0
		h.monitors = func(_ string, _ int) map[string]any { return map[string]any{"Sessions": load, "Version": "1.2"} }
		h.deploy(ctx, t, rules(), 1)
		began := time.Now()
		h.until(t, "two run", settled("web", 2))
		second := time.Now()
		h.until(t, "three run, after the cool-down", settled("web", 3))
		if wait := time.Since(second); wait < 2*time.Minute {
			t.Errorf("the third came after %s, within the cool-down; the second after %s", wait, second.Sub(began))
		}
		time.Sleep(5 * time.Minute)
		h.mu.Lock()
		load = 1
		h.mu.Unlock()
		h.until(t, "one runs", settled("web", 1))
		time.Sleep(5 * time.Minute) // at the minimum: nothing more
		h.mem.mu.Lock()
		decisions := slices.Clone(h.mem.decisions)
		h.mem.mu.Unlock()
		var got []string
		for _, d := range decisions {
			got = append(got, string(d.Action))
			if d.By != byRules || len(d.Numbers) != 1 || !d.Numbers[0].Known || len(d.Numbers[0].Instances) == 0 {
				t.Errorf("a decision without its numbers: %+v", d)
			}
		}
		if want := []string{"out", "out", "held", "in", "in"}; !slices.Equal(got, want) {
			t.Errorf("decisions %q, want %q: %+v", got, want, decisions)
		}
		if why := decisions[0].Why; why != "Sessions 20 is above 10" {
			t.Errorf("why: %q", why)
		}
		now, err := h.engine.ExplainScaling(ctx, "web")
		if err != nil || now.Action != pool.ScaleNone || now.Why != "at its minimum of 1 instance" || now.Numbers[0].Verdict != "low" {
			t.Errorf("explanation: %+v, %v", now, err)
		}
	})
}

// Rules that ask for a machine where there is none say so once, and go on when
// there is one.
func TestScalingWaitsForMachines(t *testing.T) {
	inHerd(t, 1, func(ctx context.Context, h *herd) {
		h.monitors = func(string, int) map[string]any { return map[string]any{"Sessions": 20} }
		h.deploy(ctx, t, rules(), 1)
		time.Sleep(10 * time.Minute)
		h.mem.mu.Lock()
		defer h.mem.mu.Unlock()
		if n := len(h.mem.decisions); n != 1 || h.mem.decisions[0].Action != pool.ScaleHeld || !strings.Contains(h.mem.decisions[0].Why, "no machine for it") {
			t.Errorf("%d decisions: %+v", n, h.mem.decisions)
		}
		if svc := h.mem.services["web"]; svc.Instances != 1 {
			t.Errorf("%d instances are wanted", svc.Instances)
		}
	})
}

// Readings are asked for when they are old, and shared when they are not.
func TestReadings(t *testing.T) {
	inHerd(t, 2, func(ctx context.Context, h *herd) {
		asked := 0
		h.monitors = func(string, int) map[string]any { asked++; return map[string]any{"Sessions": float64(asked)} }
		h.deploy(ctx, t, elastic(), 2)
		first, err := h.engine.Readings(ctx, "web")
		if err != nil || len(first) != 2 || asked != 2 || !strings.HasPrefix(first[0].Details["url"].(string), "http://10.0.0.") || first[0].Trouble != "" {
			t.Fatalf("readings %+v, %v; asked %d", first, err, asked)
		}
		if _, err := h.engine.Readings(ctx, "web"); err != nil || asked != 2 {
			t.Errorf("asked again within five seconds: %d, %v", asked, err)
		}
		time.Sleep(6 * time.Second)
		if _, err := h.engine.Readings(ctx, "web"); err != nil || asked != 4 {
			t.Errorf("asked %d times after six seconds, %v", asked, err)
		}
		samples, err := h.engine.Samples(ctx, "web")
		if err != nil || len(samples[first[0].Instance]["Sessions"]) != 2 {
			t.Errorf("samples %+v, %v", samples, err)
		}
		h.mu.Lock()
		h.monitors = nil
		h.mu.Unlock()
		time.Sleep(6 * time.Second)
		began := time.Now()
		late, err := h.engine.Readings(ctx, "web")
		if err != nil || late[0].Trouble == "" || time.Since(began) > lookTime+time.Second {
			t.Errorf("silent agents: %+v, %v after %s", late, err, time.Since(began))
		}
	})
}

// TestStopsAfterItsName: an instance is stopped when nobody holds its name's
// old answer any more, by scaling as by a change; where none stands in for it,
// and where the whole service goes, there is nothing to wait for.
func TestStopsAfterItsName(t *testing.T) {
	inHerd(t, 2, func(ctx context.Context, h *herd) {
		h.engine.NameTime = 5200 * time.Millisecond
		r := elastic()
		r.Events = append(r.Events, "drain")
		h.deploy(ctx, t, r, 2)
		// stopped does it and says how long after its drain, which does nothing, each instance was stopped.
		stopped := func(what string, do func() error) (waits []time.Duration) {
			t.Helper()
			h.mem.mu.Lock()
			from := len(h.mem.events)
			h.mem.mu.Unlock()
			if err := do(); err != nil {
				t.Fatal(what, err)
			}
			time.Sleep(time.Minute)
			h.mem.mu.Lock()
			defer h.mem.mu.Unlock()
			drained := map[string]time.Time{}
			for _, e := range h.mem.events[from:] {
				switch {
				case e.Type == "step.done" && e.Step == "drain":
					drained[e.Instance] = e.At
				case e.Type == "step.started" && e.Step == "preStop":
					waits = append(waits, e.At.Sub(drained[e.Instance]))
				}
			}
			return waits
		}
		changed := r
		changed.Digest = "sha256:changed"
		for _, tt := range []struct {
			what  string
			do    func() error
			n     int
			waits bool
		}{
			{"a change of two", func() error {
				_, err := h.engine.Update(ctx, "web", pool.UpdateOptions{Recipe: changed, By: "eve"})
				return err
			}, 2, true},
			{"two to one", func() error {
				_, err := h.engine.Scale(ctx, "web", 1, false, "eve")
				return err
			}, 1, true},
			{"a change of one", func() error {
				_, err := h.engine.Update(ctx, "web", pool.UpdateOptions{Recipe: r, By: "eve"})
				return err
			}, 1, false},
			{"the service", func() error {
				_, err := h.engine.Remove(ctx, "web", false, "eve")
				return err
			}, 1, false},
		} {
			got := stopped(tt.what, tt.do)
			if len(got) != tt.n {
				t.Errorf("%s: %d instances were stopped, want %d", tt.what, len(got), tt.n)
			}
			for _, w := range got {
				if waited := w > 5*time.Second; waited != tt.waits {
					t.Errorf("%s: stopped %s after its name went", tt.what, w)
				}
			}
		}
	})
}
