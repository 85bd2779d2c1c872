package orchestrator

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"appliance/pool"
)

const (
	// workers wait for commits most of the time, and share them.
	workers   = 64
	beatEvery = 10 * time.Second
	// beatKey is the setting that tells when the appliance was alive last.
	beatKey = "beat"
)

// Run works until ctx ends: it resumes what the tables say is open, and owns
// every goroutine that it starts. It returns nil when ctx ended.
func (e *Engine) Run(ctx context.Context) error {
	e.init()
	if err := e.resume(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("resume: %w", err)
	}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() { e.work(ctx) })
	}
	wg.Go(func() { every(ctx, beatEvery, e.beat) })
	wg.Go(func() { every(ctx, sweepEvery, e.sweep) })
	wg.Go(func() { e.scaleLoop(ctx) })
	wg.Go(func() { e.watchSilence(ctx) })
	if e.BMC != nil {
		wg.Go(func() { every(ctx, pollEvery, e.pollPower) })
	}
	<-ctx.Done()
	e.q.close()
	wg.Wait()
	e.wg.Wait()
	return nil
}

func every(ctx context.Context, d time.Duration, f func(context.Context)) {
	t := time.NewTicker(d)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			f(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (e *Engine) beat(ctx context.Context) {
	if err := e.times.save(ctx, e.Store); err != nil && ctx.Err() == nil {
		e.Log.Error("durations not stored", "err", err)
	}
	if err := e.Store.SetSetting(ctx, beatKey, time.Now().UTC().Format(time.RFC3339Nano)); err != nil && ctx.Err() == nil {
		e.Log.Error("beat not stored", "err", err)
	}
}

// resume adds the appliance's own downtime to open deadlines, and asks for a
// tick of everything that is open.
func (e *Engine) resume(ctx context.Context) error {
	if err := e.loadHealing(ctx); err != nil {
		return err
	}
	down := time.Duration(0)
	text, err := e.Store.Setting(ctx, beatKey)
	if err != nil && !errors.Is(err, pool.ErrNotFound) {
		return err
	}
	if last, err := time.Parse(time.RFC3339Nano, text); err == nil {
		if down = time.Since(last); down < 0 && down > -clockSlack {
			down = 0
		}
	}
	if err := e.times.load(ctx, e.Store); err != nil {
		return err
	}
	if down < 0 {
		e.Log.Warn("the appliance was alive later than it is now: its clock was wrong then, or is", "by", -down)
		e.beat(ctx) // killed before the next one, this is not done twice: it would take time
	}
	if err := e.extend(ctx, down); err != nil {
		return err
	}
	instances, err := e.Store.Instances(ctx, "")
	if err != nil {
		return err
	}
	for _, in := range instances {
		if in.Phase != pool.InstanceRemoved {
			e.q.add("i:" + in.ID)
		}
	}
	if err := e.resumeServices(ctx); err != nil {
		return err
	}
	if err := e.resumeCommands(ctx); err != nil {
		return err
	}
	machines, err := e.Store.Machines(ctx)
	if err != nil {
		return err
	}
	for _, m := range machines {
		e.expect(m)
		e.q.add("m:" + m.ID)
	}
	e.beat(ctx)
	return nil
}

func (e *Engine) work(ctx context.Context) {
	for {
		key, ok := e.q.next(ctx)
		if !ok {
			return
		}
		err := e.steady(ctx)
		if err == nil {
			err = e.tick(ctx, key)
		}
		switch {
		case err == nil, ctx.Err() != nil:
		case errors.Is(err, pool.ErrConflict):
			// Somebody else wrote first: plan anew, but never in a busy loop.
			e.q.addAt(key, time.Now().Add(50*time.Millisecond))
		default:
			e.Log.Error("tick", "key", key, "err", err)
			e.q.addAt(key, time.Now().Add(time.Second))
		}
		e.q.done(key)
	}
}

// tick looks once at a key and does what the planner answers.
func (e *Engine) tick(ctx context.Context, key string) error {
	kind, id, _ := strings.Cut(key, ":")
	var dec decision
	var m *pool.Machine
	switch kind {
	case "s":
		return e.tickService(ctx, id)
	case "a":
		return e.tickApplication(ctx, id)
	case "m":
		v, err := e.view(ctx, id)
		if err != nil {
			return gone(err)
		}
		dec, m = planMachine(v), v.m
	case "c":
		return e.tickInvocation(ctx, id)
	default:
		v, err := e.iview(ctx, id)
		if err != nil {
			return gone(err)
		}
		if dec = planInstance(v); v.err != nil {
			return v.err
		}
	}
	if !dec.draft.Empty() {
		return e.apply(ctx, &dec.draft)
	}
	if dec.run != nil {
		e.carryOut(ctx, *dec.run, *m)
	}
	if !dec.wake.IsZero() {
		e.q.addAt(key, dec.wake)
	}
	return nil
}

// gone: what is not in the tables any more needs nothing.
func gone(err error) error {
	if errors.Is(err, pool.ErrNotFound) {
		return nil
	}
	return err
}

// apply commits a draft and wakes whom it concerns.
func (e *Engine) apply(ctx context.Context, d *draft) error {
	if d.Empty() {
		return nil
	}
	e.init()
	if err := e.Store.Apply(ctx, &d.Change); err != nil {
		if !errors.Is(err, pool.ErrConflict) {
			// It may be stored all the same: look again what the tables say.
			e.touched(d, func(key string) { e.q.addAt(key, time.Now().Add(time.Second)) })
		}
		return err
	}
	for _, ev := range d.Events {
		e.Log.Info(ev.Type, "machine", ev.Machine, "service", ev.Service, "step", ev.Step, "msg", ev.Message)
	}
	for _, s := range d.Steps {
		e.times.learn(s)
		e.stepStored(s)
	}
	e.touched(d, func(key string) {
		if key == d.ahead {
			e.q.addAt(key, d.alarm)
			return
		}
		e.wakeKey(key)
	})
	return nil
}

// touched calls f with the key of everything that a draft concerns.
func (e *Engine) touched(d *draft, f func(key string)) {
	for _, s := range d.Steps {
		switch {
		case isCommand(*s):
			f("c:" + invocationOf(s.Key))
			e.ring(s.Machine)
			continue
		case !strings.HasPrefix(s.Owner, "in-"):
			f("m:" + s.Machine)
			continue
		}
		f("i:" + s.Owner)
		e.ring(s.Machine) // the planner of machines does not look at these
	}
	for _, m := range d.Machines {
		f("m:" + m.ID)
		if m.Instance != "" {
			f("i:" + m.Instance)
		}
	}
	for _, op := range d.Operations {
		f("m:" + op.Machine)
		if op.Params.Instance != "" {
			f("i:" + op.Params.Instance)
		}
	}
	for _, s := range d.Services {
		f("s:" + s.Name)
	}
	for _, a := range d.Applications {
		f("a:" + a.Name)
	}
	for _, in := range d.Instances {
		f("i:" + in.ID)
		if settledPhase(in.Phase) {
			f("s:" + in.Service)
		}
	}
}

// wakeKey asks for a tick of a key, and lets a machine's waiting agent look again.
func (e *Engine) wakeKey(key string) {
	if id, ok := strings.CutPrefix(key, "m:"); ok {
		e.wake(id)
		return
	}
	e.q.add(key)
	if strings.HasPrefix(key, "c:") {
		e.ring(key) // for who waits until the invocation is done
	}
}

// stepStored lets go of what lives in memory beside a step that ended.
func (e *Engine) stepStored(s *pool.Step) {
	if s.Status == pool.StepRunning || s.Status == pool.StepPending {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if stop := e.working[s.Key]; stop != nil {
		stop()
		delete(e.working, s.Key)
	}
	delete(e.effects, s.Key)
	delete(e.assigned, s.Key)
	p := e.live[s.Machine]
	if p == nil {
		return
	}
	p.progress = nil
	if s.Status != pool.StepDone {
		return
	}
	switch s.Name {
	case stepReboot, stepRestart:
		if p.bootID == s.BootID {
			p.leave()
		}
	case stepPowerOff, stepPowerSoft, stepShutdown:
		if strings.HasPrefix(s.Owner, "op-") {
			p.leave()
		}
	}
}

// wake asks for a tick of a machine and lets its waiting agent look again.
func (e *Engine) wake(machine string) {
	if machine == "" {
		return
	}
	e.q.add("m:" + machine)
	e.ring(machine)
}

// ring closes the bell of a machine, or of what else is waited for.
func (e *Engine) ring(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if b := e.bells[name]; b != nil {
		close(b)
		delete(e.bells, name)
	}
}

// bell returns a channel that is closed at the next change of a machine.
func (e *Engine) bell(machine string) <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	b := e.bells[machine]
	if b == nil {
		b = make(chan struct{})
		e.bells[machine] = b
	}
	return b
}

// mint makes IDs, tokens ("") and BMC passwords ("password"). IPMI 2.0 allows
// 20 bytes, but there are BMCs that keep only the 16 of IPMI 1.5 (OpenIPMI's
// simulator is one), and many want all kinds of characters.
func mint(prefix string) string {
	switch prefix {
	case "":
		return pool.NewToken()
	case "password":
		return bmcPassword()
	}
	return pool.NewID(prefix)
}

// bmcPassword returns 16 characters: 13 random ones, and one of each kind.
func bmcPassword() string {
	const letters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789-_"
	b := make([]byte, 13)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	for i := range b {
		b[i] = letters[int(b[i])%len(letters)]
	}
	return string(b) + "aZ7"
}

// view reads all that the planner may look at for a machine.
func (e *Engine) view(ctx context.Context, id string) (*view, error) {
	e.init()
	v := &view{now: time.Now().UTC(), settled: e.started.Add(silence), rules: e.Rules, sshKeys: e.SSHKeys, mint: mint}
	m, err := e.snapshot(ctx, v, id)
	if err != nil {
		return nil, err
	}
	v.m, v.live = &m, e.presence(id)
	e.times.about(m)
	v.wiped, err = e.Store.Wiped(ctx, id)
	return v, err
}

// snapshot reads the last operation, then the machine, and looks whether that
// is the last operation still: a release that comes between would show a
// machine together with what had ended before it. An open operation that is
// older than the machine is in the way of a commit by its Rev; what is newer is
// looked at by the next tick.
func (e *Engine) snapshot(ctx context.Context, v *view, id string) (pool.Machine, error) {
	for {
		op, found, err := e.lastOperation(ctx, id)
		if err != nil {
			return pool.Machine{}, err
		}
		v.op, v.last = nil, nil
		switch {
		case !found:
		case op.Status.Open():
			v.op = &op
			if err := e.viewOperation(ctx, v); err != nil && !errors.Is(err, pool.ErrNotFound) {
				return pool.Machine{}, err
			}
		default:
			v.last = &op
		}
		m, err := e.Store.Machine(ctx, id)
		if err != nil {
			return m, err
		}
		if again, _, err := e.lastOperation(ctx, id); err != nil || again.ID == op.ID {
			return m, err
		}
	}
}

// lastOperation is the operation on a machine that is open or was last.
func (e *Engine) lastOperation(ctx context.Context, machine string) (op pool.Operation, found bool, err error) {
	op, err = e.Store.LastOperation(ctx, machine)
	if errors.Is(err, pool.ErrNotFound) {
		return op, false, nil
	}
	return op, err == nil, err
}

// viewOperation reads what belongs to the open operation.
func (e *Engine) viewOperation(ctx context.Context, v *view) (err error) {
	if v.steps, err = e.steps(ctx, v.op.ID); err != nil {
		return err
	}
	if s := current(v.steps); s != nil {
		e.mu.Lock()
		v.effect = e.effects[s.Key]
		e.mu.Unlock()
	}
	if v.op.Kind != pool.OpDeploy {
		return nil
	}
	img, err := e.Store.Image(ctx, v.op.Params.Image)
	if err == nil {
		v.image = &img
	}
	return err
}

func (e *Engine) steps(ctx context.Context, owner string) ([]*pool.Step, error) {
	list, err := e.Store.Steps(ctx, owner)
	if err != nil {
		return nil, err
	}
	out := make([]*pool.Step, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return out, nil
}

// change plans and commits one change of a machine's rows; it plans anew
// when another was faster.
func (e *Engine) change(ctx context.Context, machine string, plan func(*view, *draft) error) error {
	for try := 0; ; try++ {
		v, err := e.view(ctx, machine)
		if err != nil {
			return err
		}
		d := &draft{now: v.now, mint: v.mint}
		if err := plan(v, d); err != nil {
			return err
		}
		err = e.apply(ctx, d)
		if !errors.Is(err, pool.ErrConflict) || try == 9 {
			return err
		}
	}
}
