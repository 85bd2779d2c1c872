package orchestrator

import (
	"testing"
	"time"

	"appliance/pool"
)

// TestClockSteps: what is set counts, once and either way; what NTP slews does not.
func TestClockSteps(t *testing.T) {
	var c clock
	const year = 365 * 24 * time.Hour
	for _, tt := range []struct{ wall, passed, want time.Duration }{
		{0, 0, 0},
		{time.Minute, time.Minute, 0},
		{61 * time.Second, time.Minute, 0}, // slewed
		{2*time.Minute + 50*year, 2 * time.Minute, 50 * year},              // set right: it had been 1976
		{3*time.Minute + 50*year, 3 * time.Minute, 0},                      // told once
		{4*time.Minute - time.Hour, 4 * time.Minute, -50*year - time.Hour}, // and back
		{5*time.Minute - time.Hour, 5 * time.Minute, 0},
	} {
		if got := c.stepped(tt.wall, tt.passed); got != tt.want {
			t.Errorf("wall %s after %s: stepped by %s, want %s", tt.wall, tt.passed, got, tt.want)
		}
	}
}

// TestClockSet: what is open gets its deadline by the clock as it is now.
func TestClockSet(t *testing.T) {
	h := newMemory().open()
	now := time.Now().UTC()
	op := pool.Operation{ID: "op-1", Machine: "m-1", Kind: pool.OpInspect, Status: pool.Running, Deadline: now.Add(-23 * time.Hour)}
	h.ops[op.ID], h.opOrder = op, []string{op.ID}
	e := &Engine{Store: h}
	e.init()
	e.clock.out = -24 * time.Hour // the clock was a day behind, and is right now
	for range 2 {
		if err := e.steady(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := h.ops[op.ID].Deadline.Sub(now.Add(time.Hour)).Abs(); got > time.Second {
		t.Errorf("deadline %s, want about %s", h.ops[op.ID].Deadline, now.Add(time.Hour))
	}
	if text, err := h.Setting(t.Context(), beatKey); err != nil || text == "" {
		t.Errorf("no beat by the new time: %q, %v", text, err)
	}
}
