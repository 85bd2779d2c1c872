package orchestrator

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"appliance/pool"
)

// TestRoundsAreForgotten: a service that is started anew again and again keeps
// the steps of its last rounds.
func TestRoundsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := deployed(ctx, t, 1, 0)
		for round := 1; round <= keptRounds+5; round++ {
			time.Sleep(time.Hour)
			w.reboot()
			w.until(t, fmt.Sprint("round ", round), func() bool { return w.instanceRound() == round && w.service(pool.ServiceRunning)() })
		}
		oldest := keptRounds + 5
		for _, s := range w.mem.steps {
			if s.Owner[:3] == "in-" {
				oldest = min(oldest, s.Round)
			}
		}
		if oldest != 5 {
			t.Errorf("the oldest round with steps is %d, want 5", oldest)
		}
		stop()
		w.join()
		if w.mem.broken != nil {
			t.Error(w.mem.broken)
		}
	})
}

func TestRemovedAreForgotten(t *testing.T) {
	in := &pool.Instance{ID: "in-now", Service: "db"}
	var all []*pool.Instance
	for i := range keptRemoved + 3 {
		all = append(all, &pool.Instance{ID: fmt.Sprint("in-", i), Service: "db", Phase: pool.InstanceRemoved, UpdatedAt: time.Unix(int64(i), 0)})
	}
	all = append(all, in, &pool.Instance{ID: "in-runs", Phase: pool.InstanceRunning})
	d := &draft{}
	d.forgetRemoved(in, all)
	if len(d.Forgotten) != 4 || d.Forgotten[3].Instance != "in-0" || !d.Forgotten[0].All {
		t.Errorf("forgotten %+v, want the four oldest", d.Forgotten)
	}
	d = &draft{}
	if d.forgetRemoved(in, all[:5]); len(d.Forgotten) != 0 {
		t.Errorf("forgotten %+v of five", d.Forgotten)
	}
}
