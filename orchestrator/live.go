package orchestrator

import (
	"context"
	"time"

	"appliance/pool"
)

const (
	// silence is how long an agent may say nothing before it is lost. It
	// counts from the appliance's own start, too.
	silence    = 30 * time.Second
	sweepEvery = 5 * time.Second
	// forgotten is how long an agent that is lost or told to end is remembered.
	forgotten = time.Hour
)

// presence is what is known of a machine's agent, in memory only.
type presence struct {
	mode     pool.AgentMode // empty: none
	version  string
	bootID   string
	epoch    int64
	greeted  bool // it said hello, not only how far a task is that it has since before the appliance started
	trusted  bool // it proved who it is
	first    time.Time
	seen     time.Time
	beats    bool   // it says a word every second (Engine.Beat)
	polling  int    // it waits for a task now
	lost     bool   // it was silent for too long; nobody did anything about it yet
	expected bool   // the rows say that there is one; it was not heard of yet
	gone     string // boot ID that was told to end: nothing it says counts
	progress *pool.Progress
}

func (p *presence) leave() {
	p.gone = p.bootID
	p.mode, p.bootID, p.greeted, p.trusted, p.beats, p.progress = "", "", false, false, false, nil
}

func (p presence) state() pool.LiveState {
	s := pool.LiveState{Agent: p.mode, Version: p.version, BootID: p.bootID, SeenAt: p.seen}
	if p.progress != nil {
		c := *p.progress
		s.Progress = &c
	}
	return s
}

// presence returns a copy of what is known of a machine's agent.
func (e *Engine) presence(machine string) presence {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p := e.live[machine]; p != nil {
		return *p
	}
	return presence{}
}

// expect notes that the rows tell of an agent on m: if it says nothing in a
// full window from now, it is lost.
func (e *Engine) expect(m pool.Machine) {
	switch m.Conditions[pool.CondAgent].Value {
	case "standby", "busy", "installed", "lost":
	default:
		return
	}
	lost := m.Conditions[pool.CondAgent].Value == "lost"
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.live[m.ID] == nil {
		e.live[m.ID] = &presence{expected: !lost, lost: lost, seen: time.Now()}
	}
}

// heard notes that an agent said something. It returns its presence as it is
// now, and false when nothing it says counts any more.
func (e *Engine) heard(machine string, mode pool.AgentMode, bootID string, more func(*presence)) (presence, bool) {
	e.mu.Lock()
	p := e.live[machine]
	if p == nil {
		p = &presence{}
		e.live[machine] = p
	}
	if p.gone != "" && p.gone == bootID {
		c := *p
		e.mu.Unlock()
		return c, false
	}
	now := time.Now()
	fresh := p.mode != mode || p.bootID != bootID
	if fresh {
		*p = presence{mode: mode, bootID: bootID, first: now, gone: p.gone}
	}
	p.seen, p.expected, p.lost = now, false, false
	before := *p
	if more != nil {
		more(p)
	}
	news := fresh || before.trusted != p.trusted || before.epoch != p.epoch || before.version != p.version
	c := *p
	e.mu.Unlock()
	if news {
		e.publish(machine, c.state())
		e.wake(machine)
	}
	return c, true
}

// rests notes that a wait for a task ended; one of an earlier boot counts no more.
func (e *Engine) rests(machine, bootID string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p := e.live[machine]; p != nil && p.bootID == bootID && p.polling > 0 {
		p.polling--
		p.seen = time.Now()
	}
}

// sweep finds agents that have been silent for too long.
func (e *Engine) sweep(ctx context.Context) {
	now := time.Now()
	var lost []string
	e.mu.Lock()
	for id, p := range e.live {
		if (p.mode != "" || p.expected) && (p.polling == 0 || p.beats) && now.Sub(p.seen) >= silence {
			lost = append(lost, id)
			p.lost = p.mode == pool.Installed || p.expected
			p.mode, p.bootID, p.greeted, p.trusted, p.expected, p.beats, p.progress = "", "", false, false, false, false, nil
		} else if p.mode == "" && !p.expected && !p.lost && now.Sub(p.seen) >= forgotten {
			delete(e.live, id) // whoever invents MACs fills no memory
		}
	}
	for mac := range e.fetches {
		if len(e.recent(mac, now)) == 0 {
			delete(e.fetches, mac)
		}
	}
	for from, a := range e.arrivals {
		if now.Sub(a.since) >= arrivalWindow {
			delete(e.arrivals, from)
		}
	}
	e.mu.Unlock()
	for _, id := range lost {
		e.publish(id, e.presence(id).state())
		err := e.change(ctx, id, func(v *view, d *draft) error {
			if v.live.mode == "" && v.m.Conditions[pool.CondAgent].Value != "none" {
				d.condition(v.m, pool.CondAgent, "lost", "it has said nothing for 30 seconds")
			}
			return nil
		})
		if err != nil && ctx.Err() == nil {
			e.Log.Error("lost agent not stored", "machine", id, "err", err)
		}
		e.wake(id)
	}
}

// Live returns what is known of a machine only in memory.
func (e *Engine) Live(machine string) pool.LiveState {
	e.init()
	return e.presence(machine).state()
}

// Lives returns Live of every machine whose agent was heard of, by ID.
func (e *Engine) Lives() map[string]pool.LiveState {
	e.init()
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make(map[string]pool.LiveState, len(e.live))
	for id, p := range e.live {
		out[id] = p.state()
	}
	return out
}

// WatchLive returns changes of Live from now on. A reader that is too slow
// misses some, never blocks anybody. The func ends the watch and closes the
// channel.
func (e *Engine) WatchLive() (<-chan pool.LiveUpdate, func()) {
	e.init()
	ch := make(chan pool.LiveUpdate, 64)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.watchers[ch] = struct{}{}
	return ch, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if _, ok := e.watchers[ch]; ok {
			delete(e.watchers, ch)
			close(ch)
		}
	}
}

func (e *Engine) publish(machine string, s pool.LiveState) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for ch := range e.watchers {
		select {
		case ch <- pool.LiveUpdate{Machine: machine, Live: s}:
		default:
		}
	}
}
