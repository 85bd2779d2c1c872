package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"appliance/orchestrator/compute"
	"appliance/pool"
)

// proofPause is the time between the two questions of a proof: a BMC that
// lags behind the chassis says two different things.
const proofPause = time.Second

// prove returns once the BMC that was enrolled has said twice that the power
// is off. It is told from any other by its GUID, where it tells one in-band, and
// in any case by the password that enrolment made for it alone: a session
// (RAKP) proves to each side that the other knows it. A virtual machine is told
// by its UUID, which its libvirt asked for.
func (e *Engine) prove(ctx context.Context, b pool.BMC) error {
	if b.Password.IsZero() && b.Protocol != compute.ProtocolLibvirt {
		return errors.New("the BMC has no password of its own: it cannot be told from another one")
	}
	for n := range 2 {
		if n > 0 {
			select {
			case <-time.After(proofPause):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err := e.BMC.Check(ctx, b); err != nil {
			return err
		}
		p, err := e.BMC.PowerState(ctx, b)
		if err != nil {
			return err
		}
		if p != pool.PowerOff {
			return fmt.Errorf("asked %d times: the power is %s", n+1, p)
		}
	}
	return nil
}

// fence queues the fencing of v's machine; whatever runs on it ends here.
func (v *view) fence(d *draft, by, instance, why string) *pool.Operation {
	v.preempt(d, by)
	return d.newOperation(v.m, pool.OpFence, pool.OpParams{Instance: instance, Why: why}, by)
}

// preempt ends the open operation, whatever it is.
func (v *view) preempt(d *draft, by string) {
	if v.op == nil {
		return
	}
	c := cause("operation.preempted", fmt.Sprintf("Operation %s on %s was ended: the machine is fenced.", v.op.Kind, v.m.Name),
		"asked for by "+by, "None is needed.", v.op.Step, v.now)
	op := d.operation(v.op)
	op.Status, op.Waiting, op.Cause, op.EndedAt = pool.Cancelled, pool.WaitNothing, c, v.now
	v.drop(d, c)
	v.tell(d, "operation.cancelled", pool.Warning, "%s of %s was ended: the machine is fenced.", op.Kind, v.m.Name).Cause = c
}

// Fence switches a machine off and has its BMC prove it, whatever else runs on
// it; what it runs for a service is recovered. Errors wrap ErrNotFound,
// ErrConflict for a machine that has no owner, and ErrUnavailable for one that
// no BMC controls.
func (e *Engine) Fence(ctx context.Context, machine, by string) (pool.Operation, error) {
	m, err := e.Store.MachineByName(ctx, machine)
	if err != nil {
		return pool.Operation{}, err
	}
	var op *pool.Operation
	err = e.change(ctx, m.ID, func(v *view, d *draft) error {
		switch {
		case !v.m.Phase.Allows(pool.OpFence):
			return fmt.Errorf("%w: machine %s is %s: only one that has an owner is fenced", pool.ErrConflict, v.m.Name, v.m.Phase)
		case !controlled(*v.m):
			return fmt.Errorf("%w: machine %s has no BMC that could switch it off and prove it", pool.ErrUnavailable, v.m.Name)
		case v.op != nil && v.op.Kind == pool.OpFence:
			op = v.op
			return nil
		}
		iv, err := e.owner(ctx, v)
		if err != nil {
			return err
		}
		id := ""
		if iv != nil && healable(*iv.in) {
			id = iv.in.ID
			iv.lost(d, v.now, "fenced by "+by)
		}
		op = v.fence(d, by, id, "asked for by "+by)
		return nil
	})
	if err != nil {
		return pool.Operation{}, err
	}
	return *op, nil
}

// owner is the view of the instance that has v's machine; nil for none. Its
// rows of the machine are v's.
func (e *Engine) owner(ctx context.Context, v *view) (*iview, error) {
	if v.m.Instance == "" {
		return nil, nil
	}
	iv, err := e.iview(ctx, v.m.Instance)
	if errors.Is(err, pool.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if iv.in.Machine != v.m.ID {
		return nil, nil
	}
	iv.m, iv.now = v.m, v.now
	return iv, nil
}
