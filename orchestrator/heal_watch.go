package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"appliance/pool"
)

const (
	scanEvery = 500 * time.Millisecond
	// missed is the silence of an agent that says a word every second after which
	// its machine is asked, on the network and at its BMC: asking changes nothing.
	// It counts as silent where it is asked how many are.
	missed = 2 * time.Second
	// suspectAfter is the silence before which no machine is lost, whatever it answers.
	suspectAfter = 3 * time.Second
	// hungAfter is the silence after which a machine is lost that answers
	// nothing but is on, or whose BMC says nothing: a link that flaps comes back sooner.
	hungAfter  = 20 * time.Second
	probeEvery = time.Second
	// Network and BMC are asked at once; a BMC may take a while to open a session.
	probeTimeout    = 900 * time.Millisecond
	probeBMCTimeout = 3 * time.Second
	// stormWindow, stormShare and stormLeast: more than a share (percent) of
	// the machines lost in so short a time, and at least so many, are no
	// machines that died, but a network or a room.
	stormWindow = time.Minute
	stormShare  = 30
	stormLeast  = 3
	healingKey  = "healing"
	stormGuard  = "storm guard"
)

// suspect is a machine whose agent is silent, in memory only.
type suspect struct {
	asked    time.Time // last
	asking   bool
	failed   int       // times in a row that nothing answered on the network
	off      int       // times that its BMC said off, and never on; an answer that was lost says neither
	answered time.Time // on the network
	power    string    // what its BMC said last
}

// guard watches over healing. Engine.mu protects it.
type guard struct {
	suspects map[string]*suspect
	losses   []loss
	state    pool.HealingState
	scanned  time.Time
	stalled  time.Time // when the appliance itself did not run for a while
}

type loss struct {
	machine string
	at      time.Time
}

// Beat notes that the agent of that boot lives. It writes nothing. Errors wrap
// ErrConflict when the agent must say hello first.
func (e *Engine) Beat(machine, bootID string) error {
	e.init()
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.live[machine]
	if p == nil || p.bootID != bootID || p.mode == "" {
		return fmt.Errorf("%w: agent on machine %s: say hello first", pool.ErrConflict, machine)
	}
	p.seen, p.beats = time.Now(), true
	return nil
}

// watch looks for silent machines until ctx ends.
func (e *Engine) watchSilence(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	every(ctx, scanEvery, func(ctx context.Context) {
		for _, id := range e.scan(time.Now()) {
			wg.Go(func() { e.ask(ctx, id) })
		}
	})
}

// scan returns the machines that are to be asked now.
func (e *Engine) scan(now time.Time) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	g := &e.guard
	if !g.scanned.IsZero() && now.Sub(g.scanned) > 3*scanEvery {
		g.stalled = now // what was said meanwhile lies in the sockets
	}
	g.scanned = now
	from := e.started.Add(silence)
	if s := g.stalled.Add(suspectAfter); s.After(from) {
		from = s
	}
	if now.Before(from) {
		return nil
	}
	var out []string
	for id, p := range e.live {
		silent := now.Sub(p.seen)
		if !(p.mode == pool.Installed && p.beats && silent >= missed) && !((p.expected || p.lost) && silent >= silence) {
			delete(g.suspects, id)
			continue
		}
		s := g.suspects[id]
		if s == nil {
			s = &suspect{}
			g.suspects[id] = s
		}
		if !s.asking && now.Sub(s.asked) > probeEvery-scanEvery/2 { // a tick may come a little early
			s.asking, s.asked = true, now
			out = append(out, id)
		}
	}
	for id := range g.suspects {
		if e.live[id] == nil {
			delete(g.suspects, id)
		}
	}
	return out
}

// ask asks a silent machine once, and acts when it is lost.
func (e *Engine) ask(ctx context.Context, id string) {
	m, err := e.Store.Machine(ctx, id)
	if err != nil {
		e.answered(id, func(*suspect) {})
		return
	}
	pctx, stop := context.WithTimeout(ctx, probeBMCTimeout)
	defer stop()
	answers := false
	var wg sync.WaitGroup
	wg.Go(func() {
		pctx, stop := context.WithTimeout(ctx, probeTimeout)
		defer stop()
		answers = e.Probe != nil && m.Address.IsValid() && e.Probe(pctx, m.Address)
	})
	power := pool.PowerUnknown
	if b, err := e.bmc(pctx, m); err == nil && controlled(m) {
		if power, err = e.BMC.PowerState(pctx, b); err != nil {
			power = pool.PowerUnknown
		}
	}
	wg.Wait()
	if ctx.Err() != nil {
		return
	}
	e.answered(id, func(s *suspect) {
		s.power = string(power)
		s.failed++
		if answers {
			s.failed, s.answered = 0, time.Now()
		}
		switch power {
		case pool.PowerOff:
			s.off++
		case pool.PowerOn:
			s.off = 0
		case pool.PowerUnknown:
		}
	})
	if at, why, ok := e.isLost(id, time.Now()); ok {
		if err := e.lose(ctx, m, at, why); err != nil && ctx.Err() == nil {
			e.Log.Error("lost machine not stored", "machine", id, "err", err)
		}
	}
}

func (e *Engine) answered(id string, f func(*suspect)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s := e.guard.suspects[id]; s != nil {
		s.asking = false
		f(s)
	}
}

// isLost says whether a suspect is lost by now, since when and why.
func (e *Engine) isLost(id string, now time.Time) (at time.Time, why string, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s, p := e.guard.suspects[id], e.live[id]
	if s == nil || p == nil || now.Sub(p.seen) < suspectAfter || s.failed < 2 {
		return at, "", false
	}
	silent := now.Sub(p.seen)
	// One whose power is not off must have said nothing at all for so long: where
	// the network answered just now, two answers that are late prove nothing.
	if s.off < 2 && (silent < hungAfter || now.Sub(s.answered) < hungAfter) {
		return at, "", false
	}
	return p.seen, fmt.Sprintf("its agent has said nothing for %s; nothing answered on the network, %d times; its BMC says: power %s",
		silent.Round(100*time.Millisecond), s.failed, s.power), true
}

// storm says why healing must stop, and who is silent: when the appliance's
// own link is down, when most agents are silent, or when too many machines were
// lost in too short a time.
func (e *Engine) storm(id string, now time.Time) (why string, silent []string) {
	if e.Links != nil {
		if down := e.Links(); down != "" {
			return "the appliance's own link " + down + " is down", []string{id}
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	g, known := &e.guard, 0
	gone := map[string]bool{id: true}
	for _, l := range g.losses {
		if now.Sub(l.at) < stormWindow && l.at.After(g.state.ResumedAt) {
			gone[l.machine] = true
		}
	}
	for m, p := range e.live {
		if p.mode == "" && !p.expected && !p.lost && !gone[m] {
			continue // it said bye, or was lost long ago
		}
		known++
		if (p.beats || p.expected || p.lost) && now.Sub(p.seen) >= missed && p.seen.After(g.state.ResumedAt) {
			gone[m] = true
		}
	}
	for m := range gone {
		silent = append(silent, m)
		if e.live[m] == nil {
			known++
		}
	}
	slices.Sort(silent)
	n := len(silent)
	switch {
	case n >= 2 && 2*n > known:
		why = fmt.Sprintf("%d of %d machines are silent: that is the network, or the power, rather than machines that died", n, known)
	case n >= stormLeast && 100*n > stormShare*known:
		why = fmt.Sprintf("%d of %d machines were lost within %s", n, known, stormWindow)
	}
	return why, silent
}

// lose writes down that a machine is lost, and has it fenced unless the storm
// guard, a person or an operation forbids it.
func (e *Engine) lose(ctx context.Context, m pool.Machine, at time.Time, evidence string) error {
	now := time.Now().UTC()
	if !e.healingStopped() {
		if why, silent := e.storm(m.ID, now); why != "" {
			if err := e.stopHealing(ctx, stormGuard, why, silent); err != nil {
				return err
			}
		}
	}
	stopped := e.healingStopped()
	fenced := false
	err := e.change(ctx, m.ID, func(v *view, d *draft) error {
		fenced = false
		if p := e.presence(m.ID); p.seen.After(at) {
			return nil // it spoke just now
		}
		iv, err := e.owner(ctx, v)
		if err != nil {
			return err
		}
		fenced = v.loseMachine(d, iv, at.UTC(), evidence, stopped)
		return nil
	})
	if err != nil {
		return err
	}
	e.mu.Lock()
	if p := e.live[m.ID]; p != nil && !p.seen.After(at) && fenced {
		p.mode, p.bootID, p.greeted, p.trusted, p.expected, p.lost, p.beats, p.progress = "", "", false, false, false, false, false, nil
		delete(e.guard.suspects, m.ID)
		e.guard.losses = append(slices.DeleteFunc(e.guard.losses, func(l loss) bool { return now.Sub(l.at) >= stormWindow }), loss{m.ID, now})
	}
	e.mu.Unlock()
	e.publish(m.ID, e.presence(m.ID).state())
	e.wake(m.ID)
	return nil
}

// loseMachine is the plan of a loss; it says whether the matter is settled.
// It is pure.
func (v *view) loseMachine(d *draft, iv *iview, at time.Time, evidence string, stopped bool) bool {
	if v.m.Conditions[pool.CondAgent].Value != "lost" {
		d.condition(v.m, pool.CondAgent, "lost", evidence)
		d.tellMachine(v.m, "machine.lost", pool.Problem, "%s is lost: %s.", v.m.Name, evidence)
	}
	if v.m.Phase != pool.Active || iv == nil || !healable(*iv.in) {
		return true // nobody waits for it
	}
	if v.op != nil && v.op.Kind != pool.OpDeploy && v.op.Kind != pool.OpUpdate {
		return false // it is switched, or already fenced: that operation knows better
	}
	_, held := iv.maintained()
	if stopped || held {
		return false
	}
	iv.lost(d, at, evidence)
	if controlled(*v.m) {
		v.fence(d, byHealing, iv.in.ID, evidence)
	}
	return true
}

func (e *Engine) healingStopped() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.guard.state.Stopped
}

// loadHealing reads whether healing was stopped.
func (e *Engine) loadHealing(ctx context.Context) error {
	text, err := e.Store.Setting(ctx, healingKey)
	if errors.Is(err, pool.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	var s pool.HealingState
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return fmt.Errorf("read setting %s: %w", healingKey, err)
	}
	e.mu.Lock()
	e.guard.state = s
	e.mu.Unlock()
	return nil
}

func (e *Engine) setHealing(ctx context.Context, s pool.HealingState, d *draft) error {
	d.Settings = map[string]string{healingKey: string(encode(s))}
	if err := e.apply(ctx, d); err != nil {
		return err
	}
	e.mu.Lock()
	e.guard.state = s
	e.mu.Unlock()
	return nil
}

func (e *Engine) stopHealing(ctx context.Context, by, why string, silent []string) error {
	now := time.Now().UTC()
	s := pool.HealingState{Stopped: true, Since: now, By: by, Why: why}
	for _, id := range silent {
		name := id
		if m, err := e.Store.Machine(ctx, id); err == nil {
			name = m.Name
		}
		s.Machines = append(s.Machines, name)
	}
	d := &draft{now: now, mint: mint}
	ev := d.tell("healing.stopped", pool.Problem, "Healing was stopped by %s: %s. Nothing is fenced or replaced until somebody resumes it: appliance healing resume", by, why)
	ev.By = by
	ev.Cause = cause("heal.stopped", "Healing was stopped: "+why+".", "silent: "+strings.Join(s.Machines, ", "),
		"Find out what happened to network and power, then: appliance healing resume", "", now)
	return e.setHealing(ctx, s, d)
}

// Healing says whether machines are fenced and services healed.
func (e *Engine) Healing(context.Context) (pool.HealingState, error) {
	e.init()
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.guard.state, nil
}

// StopHealing stops healing until ResumeHealing. It is idempotent.
func (e *Engine) StopHealing(ctx context.Context, by, why string) (pool.HealingState, error) {
	if s, _ := e.Healing(ctx); s.Stopped {
		return s, nil
	}
	if err := e.stopHealing(ctx, by, why, nil); err != nil {
		return pool.HealingState{}, err
	}
	return e.Healing(ctx)
}

// ResumeHealing lets healing go on, also for machines that are silent now.
func (e *Engine) ResumeHealing(ctx context.Context, by string) (pool.HealingState, error) {
	s, _ := e.Healing(ctx)
	if !s.Stopped {
		return s, fmt.Errorf("%w: healing is not stopped", pool.ErrConflict)
	}
	now := time.Now().UTC()
	d := &draft{now: now, mint: mint}
	d.tell("healing.resumed", pool.Info, "%s resumed healing.", by).By = by
	if err := e.setHealing(ctx, pool.HealingState{ResumedAt: now}, d); err != nil {
		return s, err
	}
	return e.Healing(ctx)
}
