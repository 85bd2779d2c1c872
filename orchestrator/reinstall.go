package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"appliance/pool"
)

// Reinstall has the system of an instance's machine written anew, and its
// lifecycle run from the start. The disk of its storage template is left as it
// is and mounted again; what lies on the system's disk is lost, so a stateful
// service that keeps its data there needs withoutData. Errors wrap ErrNotFound
// and ErrConflict.
func (e *Engine) Reinstall(ctx context.Context, service string, number int, withoutData bool, by string) (pool.Service, error) {
	e.init()
	for try := 0; ; try++ {
		svc, err := e.reinstall(ctx, service, number, withoutData, by)
		if !errors.Is(err, pool.ErrConflict) || try == 9 || svc.Rev == 0 {
			return svc, err
		}
	}
}

func (e *Engine) reinstall(ctx context.Context, service string, number int, withoutData bool, by string) (pool.Service, error) {
	svc, err := e.Store.Service(ctx, service)
	if err != nil {
		return pool.Service{}, err
	}
	all, err := e.Store.Instances(ctx, service)
	if err != nil {
		return pool.Service{}, err
	}
	i := slices.IndexFunc(all, func(in pool.Instance) bool { return in.Number == number && in.Phase != pool.InstanceRemoved })
	if i < 0 {
		return pool.Service{}, fmt.Errorf("%w: service %s has no instance %d", pool.ErrNotFound, service, number)
	}
	v, err := e.iview(ctx, all[i].ID)
	if err != nil {
		return pool.Service{}, err
	}
	if err := mayReinstall(v, withoutData); err != nil {
		return pool.Service{}, err
	}
	d := v.draft()
	v.takeDownFor(&d, "its machine is installed anew")
	in := d.instance(v.in)
	in.Reinstall = true
	svc = *v.svc
	v.svc = d.service(&svc)
	svc.Phase, svc.Cause = pool.ServiceDeploying, nil
	ev := v.tell(&d, "instance.reinstalling", pool.Info, "%s asked for %s to be installed anew on %s.", by, v.title(), v.m.Name)
	ev.By, ev.Machine = by, v.m.ID
	return svc, e.apply(ctx, &d)
}

// mayReinstall says why an instance cannot be installed anew.
func mayReinstall(v *iview, withoutData bool) error {
	refuse := func(format string, args ...any) error {
		return fmt.Errorf("%w: reinstall %s: %s", pool.ErrConflict, v.title(), fmt.Sprintf(format, args...))
	}
	switch {
	case v.in.Phase != pool.InstanceRunning && v.in.Phase != pool.InstanceFailed:
		return refuse("it is %s; only one that runs or failed is", v.in.Phase)
	case v.svc.Rollout.Open():
		return refuse("service %s is being updated", v.svc.Name)
	case v.m == nil || v.m.Phase != pool.Active || v.m.Instance != v.in.ID:
		return refuse("it has no machine that is active")
	case v.m.Driver.Or() != pool.DriverMetal:
		return refuse("its machine is of driver %s; only metal is installed anew: remove the instance instead", v.m.Driver.Or())
	case v.op != nil && v.op.Status.Open():
		return refuse("%s of its machine is under way", v.op.Kind)
	}
	if until, ok := v.maintained(); ok {
		return refuse("it is in maintenance until %s", until.Format(time.RFC3339))
	}
	return v.keepsData(withoutData)
}

// keepsData refuses to lose the data of a stateful service with its system.
func (v *iview) keepsData(withoutData bool) error {
	if !v.rev.Recipe.Stateful || v.rev.Recipe.Storage != "" || withoutData {
		return nil
	}
	return fmt.Errorf("%w: %s keeps its data on the disk of its system, which would be written anew: give its recipe a storage template, or say that the data may be lost (--without-data)",
		pool.ErrConflict, v.title())
}

// takeDownFor turns an instance that runs round: it is stopped by its recipe's
// events in a round of its own. What comes after is in its row.
func (v *iview) takeDownFor(d *draft, why string) {
	in := d.instance(v.in)
	c := cause("service.changed", v.title()+" is taken down: "+why+".", "", "None is needed.", "", d.now)
	for _, s := range latest(v.steps) {
		if s.Status == pool.StepPending || s.Status == pool.StepRunning {
			d.end(s, pool.StepCancelled, c)
		}
	}
	in.Cause, in.Watch, in.NotBefore = nil, "", time.Time{}
	d.newRound(in)
	d.round = in.Round
	v.takeDown(d, v.downs([]string{"drain", "preStop", "stop", "postStop"}))
}

// reimage gives an instance that was taken down a new system on its machine:
// same owner, same epoch, the same disk of its data.
func (v *iview) reimage(d *draft) {
	in := d.instance(v.in)
	if in.Next != 0 {
		in.Revision, in.Next = in.Next, 0
		v.rev = *v.next
	}
	in.Reinstall, in.Heal = false, nil // what fails now leaves the machine, and the data on it, alone
	d.newRound(in)
	d.round = in.Round
	in.Phase, in.Step, in.BootID = pool.InstanceAcquiring, stepAcquire, ""
	s := d.newSteps(in.ID, v.m.ID, v.m.Epoch, 1, v.now.Add(acquireTime), []string{stepAcquire}, func(string) spec {
		return spec{waits: true, idem: true, timeout: acquireTime, tries: 1}
	})[0]
	s.Status, s.StartedAt = pool.StepRunning, v.now
	v.steps = []*pool.Step{s}
	m := d.machine(v.m)
	d.newOperation(m, pool.OpDeploy, pool.OpParams{Image: v.rev.Image, Instance: in.ID, Disk: v.hint(m), Hostname: v.host()}, "service "+v.svc.Name)
	d.phase(m, pool.Reserved, "installed anew for service "+v.svc.Name)
	v.tell(d, "instance.acquiring", pool.Info, "%s: the system of %s is written anew with image %s.", v.title(), m.Name, v.rev.Image).Machine = m.ID
}
