package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"appliance/pool"
)

const (
	tokenTime   = 10 * time.Minute
	loopWindow  = 10 * time.Minute
	loopFetches = 3
)

// bootSecret is the name of the secret that holds a machine's one-time token.
func bootSecret(machine string) string { return "boot/" + machine }

// MintBootToken makes the one-time token by which machine's agent proves
// itself, valid for ten minutes. It revokes the one before. A machine that
// nobody accepted gets none (ErrConflict).
func (e *Engine) MintBootToken(ctx context.Context, machine string) (pool.Secret, error) {
	m, err := e.Store.Machine(ctx, machine)
	if err != nil {
		return pool.Secret{}, err
	}
	if !m.Accepted() {
		op, err := e.Store.OpenOperation(ctx, machine)
		if errors.Is(err, pool.ErrNotFound) || err == nil && op.Kind != pool.OpEnrol {
			return pool.Secret{}, fmt.Errorf("%w: machine %s is %s: only an accepted one gets a token", pool.ErrConflict, m.Name, m.Phase)
		}
		if err != nil {
			return pool.Secret{}, err
		}
	}
	token := pool.NewToken()
	d := &draft{now: time.Now().UTC()}
	d.secret(bootSecret(machine), pool.NewSecret(token+" "+d.now.Add(tokenTime).Format(time.RFC3339)))
	if err := e.apply(ctx, d); err != nil {
		return pool.Secret{}, err
	}
	return pool.NewSecret(token), nil
}

// UseBootToken returns the machine that a one-time token proves. The token is
// spent by the hello that follows, in the transaction that pins the agent's
// key: an appliance that dies between the two locks nobody out. Errors wrap
// ErrNotFound.
func (e *Engine) UseBootToken(ctx context.Context, mac pool.MAC, token string) (string, error) {
	m, err := e.Store.MachineByMAC(ctx, mac)
	if err != nil {
		return "", err
	}
	refuse := fmt.Errorf("%w: one-time token of machine %s: it is spent, too old or not the machine's", pool.ErrNotFound, m.Name)
	s, err := e.Store.Secret(ctx, bootSecret(m.ID))
	if errors.Is(err, pool.ErrNotFound) {
		return "", refuse
	}
	if err != nil {
		return "", err
	}
	want, until, _ := strings.Cut(s.Reveal(), " ")
	t, err := time.Parse(time.RFC3339, until)
	if err != nil || !same(want, token) || time.Now().After(t) {
		return "", refuse
	}
	return m.ID, nil
}

// BootState returns all that the boot decision may look at, and the machine.
// A MAC that nobody knows is a state like any other, not an error.
func (e *Engine) BootState(ctx context.Context, mac pool.MAC, discover bool) (pool.BootState, pool.Machine, error) {
	e.init()
	st := pool.BootState{Discover: discover}
	m, err := e.Store.MachineByMAC(ctx, mac)
	if errors.Is(err, pool.ErrNotFound) {
		return st, pool.Machine{}, nil
	}
	if err != nil {
		return st, pool.Machine{}, err
	}
	v, err := e.view(ctx, m.ID)
	if err != nil {
		return st, pool.Machine{}, err
	}
	st.Known, st.Phase, st.HasFacts = true, v.m.Phase, v.m.Facts != nil
	if v.op != nil {
		st.Op = v.op.Kind
		st.NeedsRAM = needsRAM(v.steps) || v.op.Kind == pool.OpEnrol && v.op.Status == pool.Queued
		if s := current(v.steps); s != nil {
			st.Step = *s
		}
	}
	st.LoopStop = e.loops(mac)
	if st.LoopStop && v.m.Conditions[pool.CondHealth].Value != "warn" {
		err = e.change(ctx, m.ID, func(v *view, d *draft) error {
			d.condition(v.m, pool.CondHealth, "warn", "it fetched the agent three times within ten minutes, and the agent never reported; it boots its disk now")
			return nil
		})
	}
	return st, *v.m, err
}

// AgentFetched notes that a machine was served what starts the agent: once
// for each boot.
func (e *Engine) AgentFetched(mac pool.MAC) {
	e.init()
	now := time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fetches[mac] = append(e.recent(mac, now), now)
}

// recent returns the fetches that count. e.mu is held.
func (e *Engine) recent(mac pool.MAC, now time.Time) []time.Time {
	var out []time.Time
	for _, t := range e.fetches[mac] {
		if now.Sub(t) < loopWindow {
			out = append(out, t)
		}
	}
	return out
}

func (e *Engine) loops(mac pool.MAC) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.recent(mac, time.Now())) >= loopFetches
}

func (e *Engine) clearFetches(macs []pool.MAC) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range macs {
		delete(e.fetches, m)
	}
}
