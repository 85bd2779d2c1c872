package orchestrator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"appliance/pool"
)

// hostSteps are the steps of an operation on a host that already runs.
func hostSteps(k pool.OpKind) []string {
	switch k {
	case pool.OpEnrol, pool.OpInspect:
		return []string{stepConnect}
	case pool.OpDeploy:
		return []string{stepConnect, stepPush, stepSystem}
	case pool.OpRelease:
		return []string{stepClean}
	case pool.OpAdopt, pool.OpTest, pool.OpConfigure, pool.OpWipe, pool.OpRescue, pool.OpUpdate, pool.OpPower,
		pool.OpFence, pool.OpRetire:
	}
	return nil
}

// AddHosts brings hosts that already run into the pool: each is reached,
// logged in to and looked at; what cannot be is INVALID. Nothing is written to
// them until an instance takes one. A host that was removed may come again
// under its name. Errors wrap ErrInvalid, or ErrConflict for a name or an
// address that is taken; then none of the list is added.
func (e *Engine) AddHosts(ctx context.Context, o pool.HostOptions, by string) ([]pool.Machine, error) {
	e.init()
	if len(o.Nodes) == 0 {
		return nil, fmt.Errorf("%w: no host is named", pool.ErrInvalid)
	}
	machines, err := e.Store.Machines(ctx)
	if err != nil {
		return nil, err
	}
	if o.Template != "" {
		if _, err := e.template(ctx, o.Template); err != nil {
			return nil, err
		}
	}
	d := &draft{now: time.Now().UTC(), mint: mint}
	var out []*pool.Machine
	for i, n := range o.Nodes {
		m, err := addHost(d, machines, n, o, by, i)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
		machines = append(machines, *m)
	}
	if err := e.apply(ctx, d); err != nil {
		return nil, err
	}
	list := make([]pool.Machine, len(out))
	for i, m := range out {
		list[i] = *m
	}
	return list, nil
}

// addHost plans the row and the enrolment of one host.
func addHost(d *draft, machines []pool.Machine, n pool.Node, o pool.HostOptions, by string, order int) (*pool.Machine, error) {
	m := &pool.Machine{ID: d.mint("m"), Name: n.ID, Phase: pool.Discovered, CreatedAt: d.now.Add(time.Duration(order)), Conditions: pool.Conditions{}}
	for _, old := range machines {
		gone := old.Driver == pool.DriverSSH && old.Phase == pool.Retired
		switch {
		case gone && old.Name == n.ID:
			c := old.Clone()
			c.CreatedAt = m.CreatedAt
			m = &c
		case old.Name == n.ID:
			return nil, fmt.Errorf("%w: host %s: a machine of that name is in the pool", pool.ErrConflict, n.ID)
		case !gone && old.Login != nil && old.Login.Host == n.Host && cmp.Or(old.Login.Port, 22) == cmp.Or(n.Login.Port, 22):
			where := n.Host
			if where == "" {
				where = "the appliance's own host"
			}
			return nil, fmt.Errorf("%w: host %s: %s is in the pool already, as %s", pool.ErrConflict, n.ID, where, old.Name)
		}
	}
	m.Driver, m.Zone, m.Rack, m.Tags, m.AcceptedBy = pool.DriverSSH, o.Zone, o.Rack, slices.Clone(o.Tags), by
	m.Login = &pool.Login{Host: n.Host, Port: n.Login.Port, User: n.Login.User, Template: o.Template}
	m.Facts = nil
	m.Conditions = m.Conditions.Without(pool.CondBroken, pool.CondDirty, pool.CondHold)
	d.machine(m)
	if n.Host != "" {
		d.secret(pool.LoginSecret(m.ID), n.Login.Seal())
	}
	d.tellMachine(m, "host.added", pool.Info, "%s added host %s.", by, m.Name).By = by
	d.newOperation(m, pool.OpEnrol, pool.OpParams{}, by)
	return m, nil
}

// RemoveHost takes a free or invalid host out of the pool; its login is
// forgotten. Errors wrap ErrNotFound, or ErrConflict for one that an instance
// has, or that is being cleaned.
func (e *Engine) RemoveHost(ctx context.Context, host, by string) (pool.Machine, error) {
	m, err := e.Store.MachineByName(ctx, host)
	if err != nil {
		return m, err
	}
	if m.Driver != pool.DriverSSH {
		return m, fmt.Errorf("%w: %s is no host that was added: it is of driver %s", pool.ErrInvalid, m.Name, m.Driver.Or())
	}
	var out *pool.Machine
	err = e.change(ctx, m.ID, func(v *view, d *draft) error {
		out = v.m
		if v.m.Phase == pool.Retired {
			return nil
		}
		if v.m.HostState() == pool.HostAllocated {
			return fmt.Errorf("%w: host %s is allocated to instance %s; remove its service first", pool.ErrConflict, v.m.Name, v.m.Instance)
		}
		if err := free(v, pool.OpRetire); err != nil {
			return err
		}
		if _, err := start(v, d, pool.OpRetire, pool.OpParams{}, by); err != nil {
			return err
		}
		v.m.Login.HostKey = ""
		d.secret(pool.LoginSecret(v.m.ID), pool.Secret{})
		return nil
	})
	if err != nil {
		return pool.Machine{}, err
	}
	return *out, nil
}

// An INVALID host is tried again when somebody needs one: at most
// hostRetries times within hostWindow, as in the original's throttle.
const (
	hostWindow  = 300 * time.Second
	hostRetries = 2
)

// retryHosts asks again for the INVALID hosts that would do for t, because
// none is free.
func (e *Engine) retryHosts(ctx context.Context, t pool.Template) error {
	if t.Prefers(pool.DriverSSH) < 0 {
		return nil
	}
	machines, err := e.Store.Machines(ctx)
	if err != nil {
		return err
	}
	for _, m := range machines {
		if m.Driver != pool.DriverSSH || m.HostState() != pool.HostInvalid || m.Conditions.Is(pool.CondHold) {
			continue
		}
		err := e.change(ctx, m.ID, func(v *view, d *draft) error {
			if v.op != nil || v.last == nil || v.m.HostState() != pool.HostInvalid || v.now.Sub(v.last.EndedAt) < hostWindow/hostRetries {
				return nil
			}
			kind := pool.OpInspect
			switch {
			case v.m.Phase == pool.Discovered:
				kind = pool.OpEnrol
			case v.last.Kind == pool.OpRelease:
				kind = pool.OpRelease // it was not cleaned yet
			}
			d.newOperation(v.m, kind, pool.OpParams{}, "policy")
			return nil
		})
		if err != nil && !errors.Is(err, pool.ErrConflict) {
			return err
		}
	}
	return nil
}

// applyConnect takes what the first look at a host brought: its key is pinned.
func (v *view) applyConnect(d *draft, r pool.JobResult) *pool.Cause {
	m := d.machine(v.m)
	if m.Login == nil || r.Facts == nil {
		return v.badResult(&pool.Step{Name: stepConnect}, "it told nothing of itself")
	}
	if m.Login.HostKey == "" && r.HostKey != "" {
		l := *m.Login
		l.HostKey = r.HostKey
		m.Login = &l
		d.tellMachine(m, "host.pinned", pool.Info, "%s showed the host key %s; another one is refused from now on.", m.Name, l.Fingerprint())
	}
	f := *r.Facts
	f.At = v.now
	setFacts(m, &f)
	if m.Phase == pool.Discovered || m.Phase == pool.Retired {
		d.phase(m, pool.Enrolled, "added by "+m.AcceptedBy+", reached and logged in to")
	}
	return nil
}

// backToPool gives up a host that could not even be connected to when an
// instance took it: it is INVALID, and the instance looks for another.
func (v *view) backToPool(d *draft, s *pool.Step) bool {
	m := v.m
	if m.Driver.Or() != pool.DriverSSH || v.op.Kind != pool.OpDeploy || s.Name != stepConnect || m.Phase != pool.Reserved {
		return false
	}
	d.newOwner(m, "", v.op.ID, v.wiped)
	d.condition(m, pool.CondDirty, pool.True, "an earlier deployment was not begun")
	d.phase(m, pool.Enrolled, "it could not be connected to")
	return true
}
