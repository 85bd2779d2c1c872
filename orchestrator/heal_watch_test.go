package orchestrator

import (
	"context"
	"testing"
	"time"
)

// TestLossIsConfirmed: how long a machine that lost its power is not lost. Its
// BMC takes a second for an answer, and its agent said its last word up to a
// second before.
func TestLossIsConfirmed(t *testing.T) {
	for _, tt := range []struct {
		name  string
		loses func(n int) bool // the nth question that its BMC is asked
		most  time.Duration
	}{
		{"its BMC answers", func(int) bool { return false }, 5 * time.Second},
		{"the first answer is lost", func(n int) bool { return n == 1 }, 8 * time.Second},
		{"the second answer is lost", func(n int) bool { return n == 2 }, 8 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rackOf(t, 2, stateless(), func(_ context.Context, w, has *world, _ []*world) {
				n := 0
				has.set(func() { has.bmcLoses = func() bool { n++; return tt.loses(n) } })
				died := time.Now()
				has.lose(false)
				w.until(t, "lost", func() bool {
					for _, e := range w.mem.events {
						if e.Type == "machine.lost" {
							return true
						}
					}
					return false
				})
				if took := w.eventAt("machine.lost").Sub(died); took > tt.most {
					t.Errorf("the loss was confirmed after %s, want %s at most\n%s", took, tt.most, w.story())
				}
			})
		})
	}
}
