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

// Abandon ends a service at once: nothing is asked of its machines, which may
// be gone. They are given up dirty, protected and on hold, with a new epoch,
// so that what runs there counts as fenced. The service says in Remains what
// may be left behind. Errors wrap ErrNotFound, and ErrConflict when others
// depend on it.
func (e *Engine) Abandon(ctx context.Context, service, by string) (pool.Service, error) {
	for try := 0; ; try++ {
		svc, err := e.abandon(ctx, service, by)
		if !errors.Is(err, pool.ErrConflict) || try == 9 {
			return svc, err
		}
	}
}

func (e *Engine) abandon(ctx context.Context, service, by string) (pool.Service, error) {
	e.init()
	svc, err := e.Store.Service(ctx, service)
	if err != nil {
		return svc, err
	}
	if svc.Phase == pool.ServiceRemoved {
		return svc, fmt.Errorf("%w: service %s was removed", pool.ErrNotFound, service)
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
	svc.Phase, svc.RemovedAt, svc.Cause, svc.Remains = pool.ServiceRemoved, d.now, nil, nil
	d.Cleared = append(d.Cleared, "service:"+svc.Name)
	for i := range instances {
		if instances[i].Phase == pool.InstanceRemoved {
			continue
		}
		v, err := e.iview(ctx, instances[i].ID)
		if err != nil {
			return svc, err
		}
		if v.op != nil && v.op.Status.Open() {
			if v.opSteps, err = e.steps(ctx, v.op.ID); err != nil {
				return svc, err
			}
		}
		v.svc = &svc
		giveUp(v, d, by)
	}
	ev := d.tell("service.abandoned", pool.Warning, "%s gave up service %s; what may remain: %s.", by, service, remains(svc.Remains))
	ev.Service, ev.By = service, by
	return svc, e.apply(ctx, d)
}

func remains(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, "; ")
}

// giveUp ends an instance and takes its machine from it, without a word to
// its agent. It adds to the service what may remain there.
func giveUp(v *iview, d *draft, by string) {
	in := d.instance(v.in)
	c := cause("service.abandoned", "Service "+v.svc.Name+" was given up.", "", "None is needed.", "", d.now)
	for _, s := range latest(v.steps) {
		if s.Status == pool.StepPending || s.Status == pool.StepRunning {
			d.end(s, pool.StepCancelled, c)
		}
	}
	for _, s := range v.commands {
		endCommand(d, s, pool.StepCancelled, c)
	}
	in.Phase, in.Step, in.Endpoint, in.Next, in.Cause = pool.InstanceRemoved, "", "", 0, nil
	in.Heal, in.Watch, in.NotBefore = nil, "", time.Time{}
	d.secret(tokenSecret(in.ID), pool.Secret{})
	d.Cleared = append(d.Cleared, "instance:"+in.ID)
	v.tell(d, "instance.abandoned", pool.Warning, "%s is given up.", v.title())
	if v.m == nil || v.m.Instance != in.ID {
		return
	}
	v.svc.Remains = append(v.svc.Remains, left(v)...)
	if v.op != nil && v.op.Status.Open() {
		op := d.operation(v.op)
		op.Status, op.EndedAt, op.Cause = pool.Cancelled, d.now, c
		for _, s := range v.opSteps {
			if s.Status == pool.StepPending || s.Status == pool.StepRunning || s.Status == pool.StepInterrupted {
				d.end(s, pool.StepCancelled, c)
			}
		}
	}
	release(d, v.m, v.wiped, false, "it was given up with service "+v.svc.Name+" by "+by, by)
	d.condition(v.m, pool.CondHold, pool.True, "service "+v.svc.Name+" may still run on it: look, then release it")
}

// left lists what an abandoned instance may leave behind.
func left(v *iview) []string {
	out := []string{fmt.Sprintf("machine %s (%s) may still be on and run %s", v.m.Name, v.m.ID, v.title())}
	if v.m.Facts != nil {
		for _, disk := range v.m.Facts.Disks {
			if slices.Contains(v.m.Owned, disk.Serial) || len(v.m.Owned) == 0 && disk.Target() {
				out = append(out, fmt.Sprintf("disk %s (%s) of %s holds its data", disk.Serial, pool.Bytes(disk.Size), v.m.Name))
			}
		}
	}
	if len(v.rev.Recipe.Packages) > 0 {
		out = append(out, fmt.Sprintf("packages %s and their units on %s", strings.Join(v.rev.Recipe.Packages, ", "), v.m.Name))
	}
	if v.m.Address.IsValid() {
		out = append(out, fmt.Sprintf("DNS names and clients that lead to %s", v.m.Address))
	}
	return out
}

// lastWaits says whether preServiceStop is next, and other instances are being
// stopped still. It waits for them for at most twenty minutes.
func (v *iview) lastWaits(s *pool.Step) bool {
	if s.Name != "preServiceStop" || s.Status != pool.StepPending || !v.now.Before(s.Deadline.Add(20*time.Minute-downTime)) {
		return false
	}
	return slices.ContainsFunc(v.siblings(), func(o *pool.Instance) bool {
		return o.ID != v.in.ID && o.Phase == pool.InstanceStopping
	})
}

// downTime is how long the steps that take an instance down may take in all.
const downTime = 2 * time.Hour
