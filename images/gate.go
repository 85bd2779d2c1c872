package images

import (
	"context"
	"sync"
	"time"
)

// Gate lets big downloads in by turns. A few at a time end one after the other,
// each at the line's full rate; all at once, they end together at the end, and
// those whose firmware has no patience fail. Nobody waits for long: who has
// stood in line for Patience is let in beside the others, and who has been in
// for Hold no longer counts, so slow or stuck machines keep nobody out.
type Gate struct {
	// Slots is how many are let in at a time; 0 means 32.
	Slots int
	// Patience is the longest wait; 0 means 10 seconds: GRUB gives up after 30.
	Patience time.Duration
	// Hold is how long a download counts; 0 means 20 seconds.
	Hold time.Duration

	mu   sync.Mutex
	in   int
	line []chan struct{} // in the order of arrival; closed: come in
}

// Enter waits for its turn and returns what is to be called at the end, once
// or more often. It returns the error of ctx when that ends first.
func (g *Gate) Enter(ctx context.Context) (leave func(), err error) {
	slots, patience, hold := g.Slots, g.Patience, g.Hold
	if slots <= 0 {
		slots = 32
	}
	if patience <= 0 {
		patience = 10 * time.Second
	}
	if hold <= 0 {
		hold = 20 * time.Second
	}
	g.mu.Lock()
	if g.in < slots && len(g.line) == 0 {
		g.in++
		g.mu.Unlock()
		return g.leave(slots, hold), nil
	}
	turn := make(chan struct{})
	g.line = append(g.line, turn)
	g.mu.Unlock()
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-turn:
		return g.leave(slots, hold), nil
	case <-t.C:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if g.quit(turn) { // it was in line still
		return func() {}, err
	}
	leave = g.leave(slots, hold) // its turn came at the same moment
	if err != nil {
		leave()
	}
	return leave, err
}

// quit takes turn out of the line; false when it has come already.
func (g *Gate) quit(turn chan struct{}) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, c := range g.line {
		if c == turn {
			g.line = append(g.line[:i], g.line[i+1:]...)
			return true
		}
	}
	return false
}

func (g *Gate) leave(slots int, hold time.Duration) func() {
	var once sync.Once
	out := func() {
		once.Do(func() {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.in--
			for g.in < slots && len(g.line) > 0 {
				close(g.line[0])
				g.line = g.line[1:]
				g.in++
			}
		})
	}
	t := time.AfterFunc(hold, out)
	return func() {
		t.Stop()
		out()
	}
}

// Waiting says how many stand in line and how many are in.
func (g *Gate) Waiting() (line, in int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.line), g.in
}
