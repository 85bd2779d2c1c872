package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"appliance/pool"
)

// Accept lets a discovered or retired machine in: its agent's key is pinned
// and its enrolment queued. It erases nothing; disks that hold something are
// protected unless o names them all. Errors wrap ErrNotFound, ErrInvalid, or
// ErrConflict for a machine that is in already.
func (e *Engine) Accept(ctx context.Context, machine, by string, o pool.AcceptOptions) (pool.Operation, error) {
	m, err := e.Store.MachineByName(ctx, machine)
	if err != nil {
		return pool.Operation{}, err
	}
	var op *pool.Operation
	err = e.change(ctx, m.ID, func(v *view, d *draft) error {
		if err := free(v, pool.OpEnrol); err != nil {
			return err
		}
		rule := strings.HasPrefix(by, "rule ")
		if o.Erase && !rule {
			if err := checkErase(v.m, v.wiped, o.Serials); err != nil {
				return err
			}
		}
		if !o.Erase && len(o.Serials) > 0 {
			return fmt.Errorf("%w: accept %s: serials are named, but erase is not allowed", pool.ErrInvalid, v.m.Name)
		}
		p := pool.OpParams{Erase: o.Erase, Disks: o.Serials}
		if p.Erase && !rule && len(p.Disks) == 0 { // nothing holds anything now: what appears later is protected
			p.Erase = false
		}
		op = accept(d, v.m, p, by, o.Name, o.Tags, v.wiped)
		return nil
	})
	if err != nil {
		return pool.Operation{}, err
	}
	return *op, nil
}

// free says whether an operation may start on the machine now.
func free(v *view, k pool.OpKind) error {
	if v.op != nil {
		return fmt.Errorf("%w: machine %s: %s is under way (step %s); wait for it or cancel it", pool.ErrConflict, v.m.Name, v.op.Kind, v.op.Step)
	}
	if !v.m.Phase.Allows(k) {
		return fmt.Errorf("%w: machine %s is %s: %s is not possible", pool.ErrConflict, v.m.Name, v.m.Phase, k)
	}
	return nil
}

// Start starts an operation on a machine: inspect, wipe, power, deploy (of an
// image, without a service), rescue, retire. Errors wrap ErrInvalid,
// ErrNotFound, ErrConflict, or ErrUnavailable when it cannot be switched.
func (e *Engine) Start(ctx context.Context, machine string, kind pool.OpKind, p pool.OpParams, by string) (pool.Operation, error) {
	if !slices.Contains(pool.OpKinds(), kind) {
		return pool.Operation{}, fmt.Errorf("%w: operation %q does not exist", pool.ErrInvalid, kind)
	}
	m, err := e.Store.MachineByName(ctx, machine)
	if err != nil {
		return pool.Operation{}, err
	}
	switch kind {
	case pool.OpAdopt, pool.OpTest, pool.OpConfigure, pool.OpUpdate:
		return pool.Operation{}, notYet(kind)
	case pool.OpFence:
		return e.Fence(ctx, m.ID, by)
	case pool.OpEnrol:
		return e.Accept(ctx, m.ID, by, pool.AcceptOptions{Erase: p.Erase, Serials: p.Disks})
	case pool.OpRelease:
		if _, err := e.Release(ctx, m.ID, by, pool.ReleaseOptions{Wipe: p.Wipe, Serials: p.Disks}); err != nil {
			return pool.Operation{}, err
		}
		return e.Store.LastOperation(ctx, m.ID)
	case pool.OpDeploy:
		if p.Image, err = e.imageName(ctx, p.Image, ""); err != nil {
			return pool.Operation{}, err
		}
	case pool.OpInspect, pool.OpWipe, pool.OpRescue, pool.OpPower, pool.OpRetire:
	}
	p.Instance = "" // only a service's own plan sets it
	var op *pool.Operation
	err = e.change(ctx, m.ID, func(v *view, d *draft) (err error) {
		op, err = start(v, d, kind, p, by)
		return err
	})
	if err != nil {
		return pool.Operation{}, err
	}
	return *op, nil
}

// start plans the first row of an operation that a person asked for.
func start(v *view, d *draft, kind pool.OpKind, p pool.OpParams, by string) (*pool.Operation, error) {
	m := v.m
	if kind == pool.OpDeploy && m.Phase == pool.Ready && v.op == nil { // reserve, at once
		op := d.newOperation(m, kind, p, by)
		owned := provedEmpty(m, v.wiped)
		d.newOwner(m, "", op.ID, v.wiped)
		m.Owned = owned
		d.phase(m, pool.Reserved, "taken by "+by)
		return op, nil
	}
	if err := free(v, kind); err != nil {
		return nil, err
	}
	if kind != pool.OpRetire && m.Driver.Or() != pool.DriverMetal && len(opSteps(pool.Operation{Kind: kind, Params: p}, *m, v.live)) == 0 {
		return nil, fmt.Errorf("%w: machine %s is of driver %s: %s is not possible", pool.ErrInvalid, m.Name, m.Driver, kind)
	}
	switch kind {
	case pool.OpDeploy:
		if m.Instance != "" {
			return nil, fmt.Errorf("%w: machine %s belongs to instance %s of a service; remove the service first", pool.ErrConflict, m.Name, m.Instance)
		}
		op := d.newOperation(m, kind, p, by)
		owned := m.Owned
		d.newOwner(m, "", op.ID, v.wiped)
		m.Owned = owned // its disks are that person's
		d.phase(m, pool.Reserved, "deployed anew by "+by)
		return op, nil
	case pool.OpWipe:
		if m.Conditions.Is(pool.CondProtected) {
			return nil, fmt.Errorf("%w: machine %s is protected: %s; release it and name its disks", pool.ErrConflict, m.Name, m.Conditions[pool.CondProtected].Reason)
		}
		if len(p.Disks) == 0 && m.Facts != nil {
			for _, disk := range m.Facts.Disks {
				if disk.Target() {
					p.Disks = append(p.Disks, disk.Serial)
				}
			}
		}
		p.Erase = false
		for _, s := range p.Disks {
			disk, ok := m.Facts.Disk(s)
			if !ok {
				return nil, fmt.Errorf("%w: machine %s has no disk %s", pool.ErrInvalid, m.Name, s)
			}
			p.Erase = p.Erase || len(disk.Content) > 0 // it is not protected: that was allowed before
		}
	case pool.OpPower:
		if !slices.Contains([]pool.PowerAction{pool.DoPowerOn, pool.DoPowerOff, pool.DoPowerSoft, pool.DoPowerCycle, pool.DoPowerReset}, p.Power) {
			return nil, fmt.Errorf("%w: power action %q: want on, off, soft, cycle or reset", pool.ErrInvalid, p.Power)
		}
		if !controlled(*m) && v.live.mode == "" && p.Power != pool.DoPowerOn {
			return nil, fmt.Errorf("%w: machine %s has no BMC and no agent answers: use its power button", pool.ErrUnavailable, m.Name)
		}
	case pool.OpRetire:
		op := d.newOperation(m, kind, p, by)
		op.Status, op.StartedAt, op.EndedAt = pool.Succeeded, v.now, v.now
		d.machine(m).Key = ""
		d.useUp(m, op.ID, v.wiped) // who knows what happens to it out there
		d.secret(bootSecret(m.ID), pool.Secret{})
		d.phase(m, pool.Retired, "retired by "+by)
		return op, nil
	case pool.OpEnrol, pool.OpAdopt, pool.OpInspect, pool.OpTest, pool.OpConfigure, pool.OpRelease,
		pool.OpRescue, pool.OpUpdate, pool.OpFence:
	}
	return d.newOperation(m, kind, p, by), nil
}

// Release gives a reserved or active machine back: its credentials are
// revoked and it is enrolled and dirty at once, then wiped (o.Wipe), or
// protected. On an enrolled machine it lifts the protection of its disks, and
// that it is held back: all disks that hold something must be named. Errors wrap ErrConflict, ErrInvalid.
func (e *Engine) Release(ctx context.Context, machine, by string, o pool.ReleaseOptions) (pool.Machine, error) {
	m, err := e.Store.MachineByName(ctx, machine)
	if err != nil {
		return m, err
	}
	var out *pool.Machine
	err = e.change(ctx, m.ID, func(v *view, d *draft) error {
		out = v.m
		if keptVM(*v.m) {
			return v.drops(d, by, o)
		}
		if v.m.Phase == pool.Enrolled {
			if !v.m.Driver.Erases() {
				return fmt.Errorf("%w: machine %s is of driver %s: nothing on its disks is protected by the appliance; retry cleans it again", pool.ErrConflict, v.m.Name, v.m.Driver)
			}
			return lift(v, d, by, o)
		}
		if err := free(v, pool.OpRelease); err != nil {
			return err
		}
		if v.m.Instance != "" {
			if in, err := e.Store.Instance(ctx, v.m.Instance); err == nil && in.Phase != pool.InstanceRemoved {
				return fmt.Errorf("%w: machine %s runs service %s; remove the service first", pool.ErrConflict, v.m.Name, in.Service)
			}
		}
		release(d, v.m, v.wiped, o.Wipe, "what "+by+" left on it was not released", by)
		return nil
	})
	if err != nil {
		return pool.Machine{}, err
	}
	return *out, nil
}

// lift takes the protection from an enrolled machine and wipes what was named.
// What held it back ends with it: it is a person who releases it.
func lift(v *view, d *draft, by string, o pool.ReleaseOptions) error {
	m := v.m
	if err := free(v, pool.OpWipe); err != nil {
		return err
	}
	if !m.Conditions.Is(pool.CondProtected) && !m.Conditions.Is(pool.CondDirty) {
		if m.Conditions.Is(pool.CondHold) {
			d.condition(m, pool.CondHold, "", "")
			d.tellMachine(m, "machine.released", pool.Info, "%s released %s, which was held back.", by, m.Name).By = by
			return nil
		}
		return fmt.Errorf("%w: machine %s is enrolled and not protected: there is nothing to release", pool.ErrConflict, m.Name)
	}
	has := func(s string) bool { return v.wiped[s] }
	listed := o.Serials
	if len(listed) == 0 && o.Wipe && (m.Facts == nil || !slices.ContainsFunc(pool.Unwiped(*m, has), func(x pool.Disk) bool { return len(x.Content) > 0 })) {
		listed = serials(pool.Unwiped(*m, has)) // nobody has to name what was seen empty
	}
	if len(listed) == 0 {
		return fmt.Errorf("%w: release %s: name the disks that may be erased: %s", pool.ErrInvalid, m.Name, strings.Join(serials(pool.Unwiped(*m, has)), ", "))
	}
	if err := checkErase(m, v.wiped, listed); err != nil {
		return err
	}
	d.condition(m, pool.CondProtected, "", "")
	d.condition(m, pool.CondHold, "", "")
	d.condition(m, pool.CondBroken, "", "")
	for _, x := range pool.Unwiped(*m, has) {
		if len(x.Content) == 0 && !slices.Contains(listed, x.Serial) {
			listed = append(listed, x.Serial)
		}
	}
	d.newOperation(m, pool.OpWipe, pool.OpParams{Disks: listed, Erase: true}, by)
	return nil
}

// Cancel stops an operation, or says at which step it will stop: what was
// sent to a BMC or a firmware is seen through (ErrConflict). It answers
// within 30 seconds.
func (e *Engine) Cancel(ctx context.Context, operation, by string) error {
	op, err := e.Store.Operation(ctx, operation)
	if err != nil {
		return err
	}
	ended := func(op pool.Operation) error {
		return fmt.Errorf("%w: operation %s has ended: %s", pool.ErrConflict, op.ID, op.Status)
	}
	if !op.Status.Open() {
		return ended(op)
	}
	err = e.change(ctx, op.Machine, func(v *view, d *draft) error {
		if v.op == nil || v.op.ID != operation {
			return ended(op)
		}
		if v.op.CancelAsked.IsZero() {
			d.operation(v.op).CancelAsked = v.now
			v.tell(d, "operation.cancelling", pool.Info, "%s asked to cancel %s of %s.", by, v.op.Kind, v.m.Name).By = by
		}
		return nil
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, 25*time.Second)
	defer stop()
	for {
		bell := e.bell(op.Machine)
		op, err = e.Store.Operation(ctx, operation)
		switch {
		case err == nil && op.Status == pool.Cancelled:
			return nil
		case err == nil && !op.Status.Open():
			return ended(op)
		case err != nil && ctx.Err() == nil:
			return err
		}
		select {
		case <-bell:
		case <-ctx.Done():
			return fmt.Errorf("%w: operation %s stops when step %s has ended", pool.ErrConflict, op.ID, op.Step)
		}
	}
}

// Retry tries again what failed or was cut off: a service's failed instances,
// or a machine's last operation.
func (e *Engine) Retry(ctx context.Context, machineOrService, by string) error {
	if svc, err := e.Store.Service(ctx, machineOrService); err == nil && svc.Phase != pool.ServiceRemoved {
		return e.retryService(ctx, svc, by)
	} else if err != nil && !errors.Is(err, pool.ErrNotFound) {
		return err
	}
	m, err := e.Store.MachineByName(ctx, machineOrService)
	if err != nil {
		return err
	}
	if m.Instance != "" {
		if in, err := e.Store.Instance(ctx, m.Instance); err == nil && in.Phase == pool.InstanceFailed {
			return e.retryInstance(ctx, in.ID, by)
		}
	}
	return e.change(ctx, m.ID, func(v *view, d *draft) error { return retryMachine(v, d, by) })
}

func retryMachine(v *view, d *draft, by string) error {
	m := v.m
	if v.op != nil {
		s := current(v.steps)
		if s == nil || s.Status != pool.StepInterrupted {
			return fmt.Errorf("%w: machine %s: %s is under way", pool.ErrConflict, m.Name, v.op.Kind)
		}
		n := d.newTry(s, pool.StepInterrupted, s.Cause, 0, false)
		n.Tries++
		v.add(n)
		d.operation(v.op).Cause = nil
		v.advance(d)
		return nil
	}
	if v.last == nil || v.last.Status != pool.Failed && v.last.Status != pool.Cancelled {
		return fmt.Errorf("%w: machine %s: nothing failed", pool.ErrConflict, m.Name)
	}
	kind, p := v.last.Kind, v.last.Params
	if kind == pool.OpRelease && !m.Driver.Erases() && m.Phase == pool.Enrolled { // cleaning failed
		d.condition(m, pool.CondBroken, "", "")
		d.newOperation(m, kind, p, by)
		return nil
	}
	if kind == pool.OpDeploy && m.Driver.Or() == pool.DriverSSH && m.Phase == pool.Enrolled { // it went back to the pool
		kind, p = pool.OpRelease, pool.OpParams{}
		d.condition(m, pool.CondBroken, "", "")
		d.newOperation(m, kind, p, by)
		return nil
	}
	if kind == pool.OpEnrol && m.Phase == pool.Enrolled {
		kind = pool.OpInspect // it makes good what the enrolment missed
	}
	if !m.Phase.Allows(kind) {
		return fmt.Errorf("%w: machine %s is %s: %s is not possible", pool.ErrConflict, m.Name, m.Phase, kind)
	}
	d.condition(m, pool.CondBroken, "", "")
	if kind == pool.OpEnrol {
		accept(d, m, p, by, "", nil, v.wiped)
		return nil
	}
	d.newOperation(m, kind, p, by)
	return nil
}
