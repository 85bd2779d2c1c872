package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"appliance/pool"
)

// Remove ends a service: its instances are stopped and their machines given
// back, wiped if wipe says so, else protected. What fails on the way is told
// and passed over: removal is bounded in time. Errors wrap ErrNotFound, or
// ErrConflict for a service that is being removed.
func (e *Engine) Remove(ctx context.Context, service string, wipe bool, by string) (pool.Service, error) {
	for try := 0; ; try++ {
		svc, err := e.remove(ctx, service, wipe, by)
		if !errors.Is(err, pool.ErrConflict) || try == 9 || svc.Phase == pool.ServiceRemoved {
			return svc, err
		}
	}
}

func (e *Engine) remove(ctx context.Context, service string, wipe bool, by string) (pool.Service, error) {
	e.init()
	svc, err := e.Store.Service(ctx, service)
	if err != nil {
		return svc, err
	}
	switch svc.Phase {
	case pool.ServiceRemoved:
		return svc, fmt.Errorf("%w: service %s was removed", pool.ErrNotFound, service)
	case pool.ServiceRemoving:
		return svc, nil
	default:
	}
	if err := e.needed(ctx, svc); err != nil {
		return svc, err
	}
	instances, err := e.Store.Instances(ctx, service)
	if err != nil {
		return svc, err
	}
	d := &draft{now: time.Now().UTC(), mint: mint}
	d.service(&svc)
	svc.Phase, svc.Wipe, svc.Cause = pool.ServiceRemoving, wipe, nil
	ev := d.tell("service.removing", pool.Info, "%s asked to remove service %s.", by, service)
	ev.Service, ev.By = service, by
	var live []pool.Instance
	for _, in := range instances {
		if in.Phase != pool.InstanceRemoved {
			live = append(live, in)
		}
	}
	last := lastDown(live)
	for i := range live {
		v, err := e.iview(ctx, live[i].ID)
		if err != nil {
			return svc, err
		}
		v.svc, v.in, v.last = &svc, &live[i], i == last
		stopping(v, d)
	}
	if len(live) == 0 {
		svc.Phase, svc.RemovedAt = pool.ServiceRemoved, d.now
	}
	return svc, e.apply(ctx, d)
}

// stopping turns an instance round: what was to bring it up is dropped, and
// what takes it down is planned, in a round of its own: the one before may have
// had the same steps.
func stopping(v *iview, d *draft) {
	in := d.instance(v.in)
	brought := v.brought()
	for _, s := range latest(v.steps) {
		if s.Status == pool.StepPending || s.Status == pool.StepRunning {
			d.end(s, pool.StepCancelled, cause("service.removed", "Service "+v.svc.Name+" is being removed.", "", "None is needed.", s.Name, d.now))
		}
	}
	d.newRound(in)
	d.round, in.Next, in.Heal, in.NotBefore, in.Watch, in.Reinstall = in.Round, 0, nil, time.Time{}, "", false
	for _, s := range v.commands {
		endCommand(d, s, pool.StepCancelled, cause("service.removed", "The instance is being taken down.", "", "None is needed.", s.Name, d.now))
	}
	if in.Cause = nil; !brought {
		in.Phase = pool.InstanceReleasing
		return
	}
	names := v.downs(downEvents())
	if v.last && slices.Contains(v.rev.Recipe.Events, "preServiceStop") {
		names = append(names, "preServiceStop")
	}
	if v.in.Storage != nil && v.in.Storage.Machine == v.m.ID {
		names = append(names, stepUnbind)
	}
	names = append(names, stepCleanup)
	if (v.svc.Wipe || in.Wipe) && !controlled(*v.m) && v.m.Driver.Erases() {
		names = append(names, stepRestart) // its last act: once released, nobody can switch it from here
	}
	v.takeDown(d, names)
}

// brought says whether something of the recipe may be on the instance's
// machine: this round began to prepare it, or is one that began there.
func (v *iview) brought() bool {
	if v.m == nil || v.m.Instance != v.in.ID || v.in.Phase == pool.InstanceRecovering || v.in.Phase == pool.InstanceReleasing {
		return false
	}
	if find(v.steps, stepAcquire) == nil {
		return len(v.steps) > 0
	}
	s := find(v.steps, stepPrepare)
	return s != nil && (s.Status != pool.StepPending || s.Attempt > 1)
}
