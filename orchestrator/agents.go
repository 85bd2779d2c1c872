package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"appliance/pool"
)

const (
	// undecidedTime is how long an unaccepted machine's agent stays in RAM
	// while a rule or a person could accept it.
	undecidedTime = 10 * time.Minute
	helloRetry    = 2 * time.Second
	strangerRetry = 30 * time.Second
)

// States of a Verdict, as in the agent's protocol.
const (
	verdictWait   = "wait"
	verdictWork   = "work"
	verdictLocal  = "local"
	verdictFenced = "fenced"
)

// AgentHello answers an agent's first message. A machine that nobody knows is
// recorded as discovered; its facts and the key it offers are recorded until
// it is accepted. Discovery is anybody's word: only h.Machine is proof.
func (e *Engine) AgentHello(ctx context.Context, h pool.AgentHello) (pool.Verdict, error) {
	e.init()
	m, err := e.helloMachine(ctx, h)
	if err != nil {
		return pool.Verdict{}, err
	}
	if v, ok := stranger(m, h); ok {
		e.Log.Warn("hello without proof", "machine", m.ID, "ip", h.Address, "mode", h.Mode)
		return v, nil
	}
	e.clearFetches(m.MACs)
	e.sawHello(m, h)
	if h.Mode == pool.Installed {
		return e.helloInstalled(ctx, m.ID, h)
	}
	return e.helloRAM(ctx, m.ID, h)
}

// stranger answers who claims to run on an accepted machine and does not
// prove it. Nothing is noted of it: it may be anybody who can reach the
// appliance, and must not stand in the way of the machine's own agent.
func stranger(m pool.Machine, h pool.AgentHello) (pool.Verdict, bool) {
	switch {
	case h.Machine != "":
		return pool.Verdict{}, false
	case h.Mode == pool.Installed:
		return pool.Verdict{Machine: m, State: verdictFenced, Retry: strangerRetry, Why: "this system has not proved which machine it runs on"}, true
	case m.Accepted() && (m.Key == "" || h.Key != m.Key):
		return pool.Verdict{Machine: m, State: verdictWait, Retry: strangerRetry,
			Why: "the machine is accepted, but this agent has not proved that it runs on it: boot it again"}, true
	}
	return pool.Verdict{}, false
}

// sawHello tells the boot timeline of the first hello of a boot.
func (e *Engine) sawHello(m pool.Machine, h pool.AgentHello) {
	if e.Boot == nil || e.Live(m.ID).BootID == h.BootID {
		return
	}
	stage := pool.StageHello
	if h.Mode == pool.Installed {
		stage = pool.StageOS
	}
	e.Boot(pool.BootEvent{At: time.Now(), MAC: m.MAC(), Machine: m.ID, Stage: stage, Detail: "agent " + h.Version, Address: h.Address})
	if h.Facts != nil {
		e.Boot(pool.BootEvent{At: time.Now(), MAC: m.MAC(), Machine: m.ID, Stage: pool.StageFacts, Detail: "inventory", Address: h.Address})
	}
}

func (e *Engine) helloMachine(ctx context.Context, h pool.AgentHello) (pool.Machine, error) {
	if h.Machine != "" {
		return e.Store.Machine(ctx, h.Machine)
	}
	m, err := e.Store.MachineByMAC(ctx, h.MAC)
	if errors.Is(err, pool.ErrNotFound) && h.Mode == pool.InRAM && !h.MAC.IsZero() {
		if err := e.arrive(h.Address, time.Now()); err != nil {
			return m, err
		}
		return e.Store.Discover(ctx, h.MAC, pool.Client{Arch: pool.ArchUnspecified}, time.Now().UTC())
	}
	return m, err
}

// arrivals counts the machines that nobody knew and an address brought up.
type arrivals struct {
	since time.Time
	n     int
}

const (
	maxArrivals   = 64
	arrivalWindow = time.Hour
)

// arrive lets an address bring up a machine that nobody knows, not even by its
// DHCP. Each machine has an address of its own: one that brings many makes them
// up. Errors wrap ErrUnavailable.
func (e *Engine) arrive(from netip.Addr, now time.Time) error {
	if !from.IsValid() {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	a := e.arrivals[from]
	if now.Sub(a.since) >= arrivalWindow {
		a = arrivals{since: now}
	}
	if a.n >= maxArrivals {
		return fmt.Errorf("%w: hello from %s: it brought up %d unknown machines within %s; each machine says hello from an address of its own",
			pool.ErrUnavailable, from, a.n, pool.Span(arrivalWindow))
	}
	a.n++
	e.arrivals[from] = a
	return nil
}

// helloRAM answers the agent in RAM.
func (e *Engine) helloRAM(ctx context.Context, id string, h pool.AgentHello) (pool.Verdict, error) {
	p, ok := e.heard(id, pool.InRAM, h.BootID, func(p *presence) { p.version = h.Version })
	var out pool.Verdict
	err := e.change(ctx, id, func(v *view, d *draft) error {
		out = pool.Verdict{Retry: helloRetry}
		if !ok {
			out.State, out.Why = verdictLocal, "this agent was told to end"
			out.Machine = *v.m
			return nil
		}
		e.hear(v, d, h)
		out.State, out.Certify, out.Why = judgeRAM(v, d, h, p.first)
		out.Machine = *v.m
		return nil
	})
	if err != nil {
		return pool.Verdict{}, err
	}
	if out.Certify {
		e.heard(id, pool.InRAM, h.BootID, func(p *presence) { p.trusted = out.State == verdictWork })
	}
	if out.State == verdictWork {
		out.Retry = 0
	}
	return out, nil
}

// hear records what a hello tells of a machine that nobody accepted yet, and
// of any machine its address.
func (e *Engine) hear(v *view, d *draft, h pool.AgentHello) {
	m := v.m
	if h.Address.IsValid() && m.Address != h.Address {
		d.machine(m).Address = h.Address
	}
	if _, ok := m.Conditions[pool.CondHealth]; ok {
		d.condition(m, pool.CondHealth, "", "") // it starts, after all
	}
	if m.Phase != pool.Discovered && m.Phase != pool.Retired {
		return
	}
	if h.Key != "" && m.OfferedKey != h.Key {
		d.machine(m).OfferedKey = h.Key
		if v.op != nil && h.Machine != "" {
			m.Key = h.Key
		}
	}
	if h.Facts == nil || m.Phase == pool.Retired {
		return
	}
	first := m.Facts == nil
	f := *h.Facts
	if first || v.now.Sub(m.Facts.At) > time.Minute {
		f.At = v.now
		setFacts(d.machine(m), &f)
	}
	if first {
		d.tellMachine(m, "machine.inventoried", pool.Info, "%s told what it is: %d cores, %s of memory, %d disks.",
			m.Name, f.CPU.Cores, pool.Bytes(f.Memory), len(f.Disks))
	}
}

// judgeRAM decides what the agent in RAM is to do. It is pure but for the
// rows it puts into d.
func judgeRAM(v *view, d *draft, h pool.AgentHello, first time.Time) (state string, certify bool, why string) {
	m := v.m
	enrolling := v.op != nil && v.op.Kind == pool.OpEnrol
	switch {
	case m.Phase == pool.Retired && !enrolling:
		return verdictLocal, false, "the machine is retired"
	case m.Phase == pool.Discovered && !enrolling:
		if r, ok := matchRule(v.rules, m, presence{mode: pool.InRAM}); ok && v.last == nil {
			accept(d, m, pool.OpParams{Erase: r.Erase}, "rule "+r.Name, "", r.Tags, v.wiped)
			return verdictWork, true, ""
		}
		if v.now.Sub(first) >= undecidedTime {
			return verdictLocal, false, "nobody accepted the machine"
		}
		return verdictWait, false, "the machine is not accepted yet"
	}
	if h.Machine == "" && (m.Key == "" || h.Key != m.Key) {
		return verdictWait, false, "the machine is being enrolled, but this agent has not proved that it runs on it: boot it again"
	}
	if h.Key != "" && m.Key != h.Key { // proved by its one-time token, which is spent now
		d.machine(m).Key = h.Key
		m.OfferedKey = h.Key
		d.secret(bootSecret(m.ID), pool.Secret{})
		d.tellMachine(m, "machine.trusted", pool.Info, "The agent on %s proved itself and has a new key.", m.Name)
	}
	if starts(v, h.BootID) || m.Phase == pool.Active && (v.op == nil || v.op.Status != pool.Queued && v.op.Kind != pool.OpPower && !needsRAM(v.steps)) {
		return verdictLocal, true, "its system is on its disk"
	}
	d.condition(m, pool.CondAgent, "standby", "")
	return verdictWork, true, ""
}

// starts says whether a deployment has left the RAM of this boot behind: its
// reboot was done, or was handed to an earlier boot. Until then the agent that
// wrote the image has to be told to reboot, also by an appliance that was
// started again in between.
func starts(v *view, bootID string) bool {
	if v.op == nil || v.op.Kind != pool.OpDeploy {
		return false
	}
	s := find(v.steps, stepReboot)
	return s != nil && (s.Status == pool.StepDone || s.BootID != "" && s.BootID != bootID)
}

// helloInstalled answers the agent of an installed system: only the owner of
// the machine, by its epoch, may start anything.
func (e *Engine) helloInstalled(ctx context.Context, id string, h pool.AgentHello) (pool.Verdict, error) {
	e.handAgain(id)
	p, ok := e.heard(id, pool.Installed, h.BootID, func(p *presence) { p.version, p.epoch, p.greeted = h.Version, h.Epoch, true })
	var out pool.Verdict
	err := e.change(ctx, id, func(v *view, d *draft) error {
		m := v.m
		out = pool.Verdict{Machine: *m, State: verdictWork}
		if h.Unconfirmed != "" {
			d.tellMachine(m, "agent.unconfirmed", pool.Warning, "On %s somebody let the system start without the appliance: %s.", m.Name, h.Unconfirmed)
		}
		owned := m.Phase == pool.Active || m.Phase == pool.Reserved
		switch {
		case !owned:
			out.State, out.Why = verdictFenced, fmt.Sprintf("machine %s is %s: what is on its disk has no owner any more", m.Name, m.Phase)
		case h.Epoch != m.Epoch:
			out.State, out.Why = verdictFenced, fmt.Sprintf("machine %s is at epoch %d, this system is of epoch %d", m.Name, m.Epoch, h.Epoch)
		case v.op != nil && v.op.Kind == pool.OpFence: // it may have got power again since the proof that it had none
			out.State, out.Why, out.Retry = verdictWait, fmt.Sprintf("machine %s is being fenced", m.Name), helloRetry
		case m.Conditions.Is(pool.CondFenced):
			out.State, out.Why, out.Retry = verdictFenced, fmt.Sprintf("machine %s was fenced, and nobody let it start again", m.Name), helloRetry
		case !ok:
			out.State, out.Why, out.Retry = verdictWait, "the machine is about to start anew", helloRetry
		}
		if out.State != verdictWork {
			return nil
		}
		if h.Address.IsValid() && m.Address != h.Address {
			d.machine(m).Address = h.Address
		}
		d.condition(m, pool.CondAgent, "installed", "")
		out.Machine = *m
		return nil
	})
	if err != nil {
		return pool.Verdict{}, err
	}
	if p.mode != "" {
		e.heard(id, pool.Installed, h.BootID, func(p *presence) { p.trusted = out.State == verdictWork })
	}
	if in := out.Machine.Instance; in != "" {
		e.q.add("i:" + in) // what it runs may have to be started
	}
	return out, nil
}

// AgentBye notes that an agent ends on purpose.
func (e *Engine) AgentBye(_ context.Context, machine, bootID string) error {
	e.init()
	e.mu.Lock()
	p := e.live[machine]
	left := p != nil && p.bootID == bootID
	if left {
		p.leave()
	}
	e.mu.Unlock()
	if left {
		e.publish(machine, e.presence(machine).state())
		e.wake(machine)
	}
	return nil
}

// Identity says whether the agent in RAM may have the certificate of the
// system that it installs: only with the token of its machine's open
// deployment. Errors wrap ErrConflict.
func (e *Engine) Identity(ctx context.Context, machine, token string) (pool.Machine, error) {
	op, err := e.Store.OpenOperation(ctx, machine)
	if errors.Is(err, pool.ErrNotFound) || err == nil && (op.Kind != pool.OpDeploy || !same(op.Token, token)) {
		return pool.Machine{}, fmt.Errorf("%w: identity of machine %s: the token is not that of an open deployment", pool.ErrConflict, machine)
	}
	if err != nil {
		return pool.Machine{}, err
	}
	return e.Store.Machine(ctx, machine)
}
