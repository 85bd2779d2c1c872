package pool_test

import (
	"testing"
	"time"

	"appliance/pool"
)

func TestMaintenanceHolds(t *testing.T) {
	now := time.Date(2026, 11, 25, 22, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name string
		m    *pool.Maintenance
		want bool
	}{
		{"none", nil, false},
		{"without end", &pool.Maintenance{Since: now.Add(-time.Hour)}, true},
		{"until later", &pool.Maintenance{Until: now.Add(time.Second)}, true},
		{"until now", &pool.Maintenance{Until: now}, false},
	} {
		if got := tt.m.Holds(now); got != tt.want {
			t.Errorf("%s: Holds = %t, want %t", tt.name, got, tt.want)
		}
	}
}

func TestKeysOfRounds(t *testing.T) {
	s := pool.Step{Key: pool.RoundKey("in-1", 2, "start"), Attempt: 1}
	if s.Key != "in-1/r2.start/1" || s.NextKey() != "in-1/r2.start/2" {
		t.Errorf("keys %q, %q", s.Key, s.NextKey())
	}
	if k := pool.RoundKey("in-1", 0, "start"); k != pool.StepKey("in-1", "start", 1) {
		t.Errorf("key of round 0 = %q", k)
	}
}
