package images

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"appliance/pool"
)

// rows stand in for the tables.
type rows struct {
	mu    sync.Mutex
	phase pool.Phase
	reads int
	pause chan struct{} // not nil: a read waits here after it has looked
}

func (r *rows) read(_ context.Context, _ pool.MAC, discover bool) (pool.BootState, pool.Machine, error) {
	r.mu.Lock()
	r.reads++
	phase, pause := r.phase, r.pause
	r.mu.Unlock()
	if pause != nil {
		<-pause
	}
	return pool.BootState{Known: phase != "", Discover: discover, Phase: phase}, pool.Machine{ID: "m1", Name: "node-1"}, nil
}

func TestStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &rows{phase: pool.Ready}
		s := &States{Read: r.read}
		get := func(want pool.Phase, reads int) {
			t.Helper()
			st, m, err := s.BootState(t.Context(), mac, true)
			if err != nil || st.Phase != want || !st.Discover || m.ID != "m1" || m.Name != "node-1" {
				t.Errorf("BootState = %+v, %+v, %v; want phase %s", st, m, err, want)
			}
			if r.reads != reads {
				t.Errorf("%d reads, want %d", r.reads, reads)
			}
		}
		get(pool.Ready, 1)
		get(pool.Ready, 1)
		stamp := s.Stamp(mac)
		r.phase = pool.Active
		s.Forget("other")
		get(pool.Ready, 1)
		if s.Stamp(mac) != stamp || stamp == 0 {
			t.Errorf("stamp went from %d to %d", stamp, s.Stamp(mac))
		}
		s.Forget("m1")
		if s.Stamp(mac) != 0 {
			t.Errorf("stamp of a forgotten state = %d", s.Stamp(mac))
		}
		get(pool.Active, 2)
		r.phase = pool.Retired
		s.ForgetMAC(mac)
		get(pool.Retired, 3)
		r.phase = pool.Ready
		time.Sleep(3 * time.Second) // somebody else wrote
		get(pool.Ready, 4)
	})
}

// A write that comes between the reading of the rows and the remembering is
// not hidden.
func TestStatesRace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &rows{phase: pool.Ready, pause: make(chan struct{})}
		s := &States{Read: r.read}
		var wg sync.WaitGroup
		wg.Go(func() { _, _, _ = s.BootState(t.Context(), mac, true) })
		synctest.Wait() // it has looked
		r.mu.Lock()
		r.phase = pool.Active
		r.mu.Unlock()
		s.Forget("m1")
		close(r.pause)
		wg.Wait()
		if st, _, err := s.BootState(t.Context(), mac, true); err != nil || st.Phase != pool.Active {
			t.Errorf("state is %s, %v; want active", st.Phase, err)
		}
	})
}

func TestStatesKeepsNoStranger(t *testing.T) {
	r := &rows{}
	s := &States{Read: r.read}
	for range 3 {
		if _, _, err := s.BootState(t.Context(), mac, true); err != nil {
			t.Fatal(err)
		}
	}
	if r.reads != 3 || s.Stamp(mac) != 0 {
		t.Errorf("%d reads, stamp %d: a stranger was remembered", r.reads, s.Stamp(mac))
	}
}

// line simulates downloads of size units over a line of rate units a second
// that all who are let in share, and returns how long each took.
func storm(t *testing.T, g *Gate, n int, size, rate float64) []time.Duration {
	var mu sync.Mutex
	in := 0
	took := make([]time.Duration, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			start := time.Now()
			if g != nil {
				leave, err := g.Enter(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				defer leave()
			}
			mu.Lock()
			in++
			mu.Unlock()
			for left := size; left > 0; {
				time.Sleep(10 * time.Millisecond)
				mu.Lock()
				left -= rate / float64(in) / 100
				mu.Unlock()
			}
			mu.Lock()
			in--
			mu.Unlock()
			took[i] = time.Since(start)
		})
	}
	wg.Wait()
	return took
}

// TestGateEndsSooner: with turns the same storm ends no later, and the mean
// machine waits little more than half as long.
func TestGateEndsSooner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mean := func(d []time.Duration) (mean, last time.Duration) {
			for _, x := range d {
				mean += x / time.Duration(len(d))
				last = max(last, x)
			}
			return mean, last
		}
		free, freeLast := mean(storm(t, nil, 200, 1, 25))
		turns, turnsLast := mean(storm(t, &Gate{Slots: 8}, 200, 1, 25))
		t.Logf("all at once: mean %s, last %s; by turns: mean %s, last %s", free, freeLast, turns, turnsLast)
		if turns > free*65/100 || turnsLast > freeLast*105/100 {
			t.Errorf("by turns: mean %s, last %s; all at once %s, %s", turns, turnsLast, free, freeLast)
		}
	})
}

func TestGateKeepsNobodyOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &Gate{Slots: 1, Patience: 5 * time.Second, Hold: 8 * time.Second}
		stuck, err := g.Enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		leave, err := g.Enter(t.Context())
		if took := time.Since(start); err != nil || took != 5*time.Second {
			t.Errorf("let in after %s, %v; want 5s", took, err)
		}
		leave()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := g.Enter(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Enter = %v, want the context's error", err)
		}
		time.Sleep(3 * time.Second) // the stuck one no longer counts
		if leave, err = g.Enter(t.Context()); err != nil || time.Since(start) != 9*time.Second {
			t.Errorf("let in after %s, %v; want 9s, without a wait", time.Since(start), err)
		}
		stuck() // once more does nothing
		leave()
		leave()
		if line, in := g.Waiting(); line != 0 || in != 0 {
			t.Errorf("%d in line, %d in; want none", line, in)
		}
	})
}

func TestGateCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &Gate{Slots: 3, Patience: time.Hour, Hold: time.Hour}
		var mu sync.Mutex
		var in, most int
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				time.Sleep(rand.N(time.Second))
				leave, err := g.Enter(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				in++
				most = max(most, in)
				mu.Unlock()
				time.Sleep(rand.N(time.Second))
				mu.Lock()
				in--
				mu.Unlock()
				leave()
			})
		}
		wg.Wait()
		if line, left := g.Waiting(); most != 3 || line != 0 || left != 0 {
			t.Errorf("%d at once, %d and %d at the end; want 3, 0, 0", most, line, left)
		}
	})
}
