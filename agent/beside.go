package agent

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"appliance/api/wire"
	"appliance/pool"
)

// maxBeside is how many custom commands run at once on a machine.
const maxBeside = 8

// looker is a Performer that reads details and monitors of an instance.
type looker interface {
	Look(ctx context.Context, p pool.EventParams) pool.Readings
}

// beside runs custom commands and looks next to the agent's one task: a recipe
// that waits in one of its events for a command of another must not wait for
// ever. It owns its goroutines; wait returns when all have ended.
type beside struct {
	wg    sync.WaitGroup
	mu    sync.Mutex
	keys  map[string]bool // that run
	asks  bool            // somebody asks for errands
	tasks int             // that the agent performs now: 0 or 1
}

// runsBeside says whether a task needs no turn.
func runsBeside(k pool.TaskKind) bool { return k == pool.TaskCommand || k == pool.TaskLook }

// begin starts a command or look, unless it runs already.
func (b *beside) begin(ctx context.Context, a *Agent, as wire.Assignment) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.keys == nil {
		b.keys = map[string]bool{}
	}
	if b.keys[as.Key] {
		return
	}
	b.keys[as.Key] = true
	side := a.aside()
	b.wg.Go(func() {
		defer func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			delete(b.keys, as.Key)
		}()
		if as.Kind == pool.TaskLook {
			side.look(ctx, as)
			return
		}
		if err := side.perform(ctx, as); err != nil && ctx.Err() == nil {
			side.log().Warn("command not told", "key", as.Key, "err", err)
		}
	})
}

// aside returns a copy of what a command needs of the agent: a new hello
// meanwhile changes nothing under it.
func (a *Agent) aside() *Agent {
	return &Agent{Mode: a.Mode, Version: a.Version, BootID: a.BootID, MAC: a.MAC, Machine: a.Machine, Epoch: a.Epoch,
		Client: a.Client, Tasks: a.Tasks, Journal: a.Journal, Log: a.Log, lane: true}
}

// full says whether no more commands are taken now.
func (b *beside) full() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.keys) >= maxBeside
}

// meanwhile asks for errands until the returned func is called and the last
// question is answered: one that is given up could lose its answer.
func (b *beside) meanwhile(ctx context.Context, a *Agent) (done func()) {
	side := a.aside()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tasks++
	done = func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.tasks--
	}
	if b.asks || a.Mode != pool.Installed {
		return done
	}
	b.asks = true
	b.wg.Go(func() {
		pause(ctx, time.Second) // most tasks are shorter than it is worth
		for b.wanted(ctx) {
			if err := side.errand(ctx, b); err != nil {
				pause(ctx, 2*time.Second) // the main connection says hello
			}
		}
	})
	return done
}

// wanted says whether to go on asking.
func (b *beside) wanted(ctx context.Context) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asks = b.tasks > 0 && ctx.Err() == nil
	return b.asks
}

// errand asks once for a command or look, and begins it.
func (a *Agent) errand(ctx context.Context, b *beside) error {
	if b.full() {
		pause(ctx, time.Second)
		return nil
	}
	path := fmt.Sprintf("%s?wait=25&busy=1&boot=%s&mode=%s", wire.PathTask, url.QueryEscape(a.BootID), a.Mode)
	var as wire.Assignment
	found, err := a.Client.Do(ctx, "GET", path, nil, &as)
	if err == nil && found && runsBeside(as.Kind) {
		b.begin(ctx, a, as)
	}
	return err
}

// look reads details and monitors, and sends them. What is lost is asked for again.
func (a *Agent) look(ctx context.Context, as wire.Assignment) {
	l, ok := a.Tasks.(looker)
	var p pool.EventParams
	if !ok || readParams(as, &p) != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, max(as.Timeout, time.Second))
	defer cancel()
	r := l.Look(ctx, p)
	ctx = context.WithoutCancel(ctx)
	ctx, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	if _, err := a.Client.Do(ctx, "POST", wire.PathReadings, r, nil); err != nil && !errors.Is(err, pool.ErrNotFound) {
		a.log().Warn("readings not sent", "instance", r.Instance, "err", err)
	}
}
