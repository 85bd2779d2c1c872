package orchestrator

import (
	"context"
	"errors"
	"sync"
	"time"

	"appliance/orchestrator/compute"
	"appliance/pool"
)

const (
	pollEvery   = time.Minute
	pollTimeout = 15 * time.Second
	pollers     = 8
)

// carryOut runs a step of the appliance's own, once at a time, in a goroutine
// that Run waits for. The step is stored as running already. What comes of it
// is looked at by the next tick.
func (e *Engine) carryOut(ctx context.Context, s pool.Step, m pool.Machine) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.working[s.Key] != nil || e.effects[s.Key] != nil {
		return
	}
	ctx, stop := context.WithDeadline(ctx, s.Deadline)
	e.working[s.Key] = stop
	e.wg.Go(func() {
		defer stop()
		var r pool.JobResult
		var err error
		if opSpec(s.Name).driver {
			r, err = e.drive(ctx, s, m)
		} else {
			err = e.power(ctx, s, m)
			if err == nil && s.Name == stepBMCCheck {
				r.GUID = e.identify(ctx, m)
			}
		}
		e.mu.Lock()
		if e.working[s.Key] != nil { // else the step has ended meanwhile
			delete(e.working, s.Key)
			e.effects[s.Key] = &effect{result: r, err: err}
		}
		e.mu.Unlock()
		e.wake(m.ID)
	})
}

// identify asks a BMC that told nothing in-band who it is: fencing tells it from
// others by that. One that does not say it is told by its own password.
func (e *Engine) identify(ctx context.Context, m pool.Machine) string {
	asker, ok := e.BMC.(interface {
		GUID(ctx context.Context, b pool.BMC) (string, error)
	})
	if !ok || m.BMC == nil || m.BMC.GUID != "" {
		return ""
	}
	b, err := e.bmc(ctx, m)
	if err != nil {
		return ""
	}
	guid, err := asker.GUID(ctx, b)
	if err != nil {
		e.Log.Debug("BMC tells no GUID", "machine", m.ID, "err", err)
	}
	return guid
}

// drive has a machine's driver carry out a step.
func (e *Engine) drive(ctx context.Context, s pool.Step, m pool.Machine) (pool.JobResult, error) {
	op, err := e.Store.Operation(ctx, s.Owner)
	if err != nil {
		return pool.JobResult{}, err
	}
	j := pool.Job{Step: s.Name, Machine: m, Image: op.Params.Image, Hostname: op.Params.Hostname, Keep: op.Kind == pool.OpRelease && !op.Params.Wipe}
	secret, err := e.Store.Secret(ctx, pool.LoginSecret(m.ID))
	if err != nil && !errors.Is(err, pool.ErrNotFound) {
		return pool.JobResult{}, err
	}
	j.Credential = secret
	return e.Compute.Do(ctx, j)
}

// power does what a step asks of a machine's BMC.
func (e *Engine) power(ctx context.Context, s pool.Step, m pool.Machine) error {
	b, err := e.bmc(ctx, m)
	if err != nil {
		return err
	}
	switch s.Name {
	case stepBMCCheck:
		return e.BMC.Check(ctx, b)
	case stepBootDevice:
		device := pool.BootPXE
		op, err := e.Store.Operation(ctx, s.Owner)
		if err != nil {
			return err
		}
		if op.Kind == pool.OpPower && op.Params.Boot != "" {
			device = op.Params.Boot
		}
		return e.BMC.SetBootDevice(ctx, b, device, m.Firmware)
	case stepBootDisk:
		return e.BMC.SetBootDevice(ctx, b, pool.BootDisk, m.Firmware)
	case stepProof:
		return e.prove(ctx, b)
	case stepPowerOff:
		return e.BMC.SetPower(ctx, b, pool.DoPowerOff)
	case stepPowerSoft:
		return e.BMC.SetPower(ctx, b, pool.DoPowerSoft)
	case stepPowerOn:
		asked := time.Now() // the firmware may be asking DHCP before the BMC has answered us
		err := e.BMC.SetPower(ctx, b, pool.DoPowerOn)
		if err == nil && e.Boot != nil {
			e.Boot(pool.BootEvent{At: asked, MAC: m.MAC(), Machine: m.ID, Stage: pool.StagePower, Detail: "switched on by its BMC"})
		}
		return err
	}
	return errors.New("step " + s.Name + " is not the appliance's")
}

// bmc returns m's BMC with our own user and its password, opened just now.
func (e *Engine) bmc(ctx context.Context, m pool.Machine) (pool.BMC, error) {
	if e.BMC == nil || m.BMC == nil {
		return pool.BMC{}, errors.New("the machine has no BMC that the appliance can use")
	}
	b := *m.BMC
	b.User = bmcUser
	if b.Protocol == compute.ProtocolLibvirt {
		return b, nil // it has no password
	}
	var err error
	b.Password, err = e.Store.Secret(ctx, pool.BMCSecret(m.ID))
	return b, err
}

// pollPower asks the BMC of each idle machine for its power. Only what
// changed is stored; an unreachable BMC is a condition and nothing else.
func (e *Engine) pollPower(ctx context.Context) {
	machines, err := e.Store.Machines(ctx)
	if err != nil {
		return // the next round asks again
	}
	open, err := e.Store.OpenOperations(ctx)
	if err != nil {
		return
	}
	busy := map[string]bool{}
	for _, op := range open {
		busy[op.Machine] = true
	}
	slots := make(chan struct{}, pollers)
	var wg sync.WaitGroup
	for _, m := range machines {
		if !controlled(m) || busy[m.ID] || m.Phase == pool.Retired {
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			e.pollOne(ctx, m)
		})
	}
	wg.Wait()
}

func (e *Engine) pollOne(ctx context.Context, m pool.Machine) {
	pctx, stop := context.WithTimeout(ctx, pollTimeout)
	defer stop()
	b, err := e.bmc(pctx, m)
	if err != nil {
		return
	}
	power, err := e.BMC.PowerState(pctx, b)
	if ctx.Err() != nil {
		return
	}
	state, reason := "ok", ""
	if err != nil {
		power, state, reason = pool.PowerUnknown, "unreachable", "it does not answer"
		if codeOf(err) == codeAuth {
			state, reason = "auth_failed", "it refuses the appliance's user"
		}
	}
	if m.Conditions[pool.CondBMC].Value == state && m.Conditions[pool.CondPower].Value == string(power) {
		return
	}
	err = e.change(ctx, m.ID, func(v *view, d *draft) error {
		if v.op != nil { // its steps know better
			return nil
		}
		d.condition(v.m, pool.CondBMC, state, reason)
		d.condition(v.m, pool.CondPower, string(power), "")
		return nil
	})
	if err != nil && ctx.Err() == nil {
		e.Log.Error("power not stored", "machine", m.ID, "err", err)
	}
}
