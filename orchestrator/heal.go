package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"appliance/pool"
)

// Recover is a person's word on a service that waits for one: that its lost
// machine is off, or that it may start without its data. Its instances go on
// accordingly. Errors wrap ErrNotFound, ErrInvalid, or ErrConflict when no
// instance waits.
func (e *Engine) Recover(ctx context.Context, service string, o pool.RecoverOptions) (pool.Service, error) {
	e.init()
	svc, err := e.Store.Service(ctx, service)
	if err != nil {
		return svc, err
	}
	instances, err := e.Store.Instances(ctx, service)
	if err != nil {
		return svc, err
	}
	n := 0
	for _, in := range instances {
		if in.Phase != pool.InstanceRecovering {
			continue
		}
		if err := e.recoverInstance(ctx, in.ID, o); err != nil {
			return svc, err
		}
		n++
	}
	if n == 0 {
		return svc, fmt.Errorf("%w: service %s: no instance waits for its recovery", pool.ErrConflict, service)
	}
	return e.Store.Service(ctx, service)
}

func (e *Engine) recoverInstance(ctx context.Context, id string, o pool.RecoverOptions) error {
	for try := 0; ; try++ {
		v, err := e.iview(ctx, id)
		if err != nil {
			return err
		}
		d := v.draft()
		if err := v.override(&d, o); err != nil {
			return err
		}
		err = e.apply(ctx, &d)
		if !errors.Is(err, pool.ErrConflict) || try == 9 {
			return err
		}
	}
}

// override takes a person's word.
func (v *iview) override(d *draft, o pool.RecoverOptions) error {
	h := v.in.Heal
	if v.in.Phase != pool.InstanceRecovering || h == nil || v.m == nil {
		return fmt.Errorf("%w: %s does not wait for its recovery", pool.ErrConflict, v.title())
	}
	if v.op != nil && v.op.Status.Open() {
		return fmt.Errorf("%w: %s of %s is under way; wait for its end", pool.ErrConflict, v.op.Kind, v.m.Name)
	}
	if h.Stage == pool.HealPromoting { // two would have its work
		return fmt.Errorf("%w: a replica of %s is told to take over; wait for its end", pool.ErrConflict, v.title())
	}
	proof := h.Proof || o.MachineOff
	if !proof {
		return fmt.Errorf("%w: nothing proves that %s is off; switch it off and say so: --machine-off", pool.ErrInvalid, v.m.Name)
	}
	if v.rev.Recipe.Stateful && !o.WithoutData && h.Proof {
		return fmt.Errorf("%w: %s keeps data that is on %s only: to start it empty elsewhere say --without-data", pool.ErrInvalid, v.title(), v.m.Name)
	}
	n := v.stage(d, pool.HealWaiting, 0)
	n.Proof, n.WithoutData = proof, h.WithoutData || o.WithoutData
	what := "its machine is off"
	if n.WithoutData {
		what = "it may start without its data"
	}
	e := v.tell(d, "instance.override", pool.Warning, "%s said of %s: %s.", o.By, v.title(), what)
	e.By, e.Machine = o.By, v.m.ID
	if o.MachineOff && !n.WithoutData && controlled(*v.m) {
		n.Tried = append(slices.Clone(n.Tried), string(pool.HealPowerOn)) // it was switched off by hand
	}
	v.decide(d)
	return nil
}

// Maintain begins maintenance of a machine, service or application for a time (zero: until
// Unmaintain), or prolongs it. Errors wrap ErrNotFound, ErrInvalid.
func (e *Engine) Maintain(ctx context.Context, machineOrService, by, reason string, span time.Duration) (pool.Maintenance, error) {
	if span < 0 {
		return pool.Maintenance{}, fmt.Errorf("%w: maintenance for %s", pool.ErrInvalid, span)
	}
	m := &pool.Maintenance{Since: time.Now().UTC(), By: by, Reason: reason}
	if span > 0 {
		m.Until = m.Since.Add(span)
	}
	until := "until somebody ends it"
	if span > 0 {
		until = "for " + pool.Span(span)
	}
	err := e.setMaintenance(ctx, machineOrService, m, "maintenance.started",
		fmt.Sprintf("%s began maintenance of %s %s: nothing is healed there.", by, machineOrService, until), by)
	return *m, err
}

// Unmaintain ends maintenance. Errors wrap ErrNotFound.
func (e *Engine) Unmaintain(ctx context.Context, machineOrService, by string) error {
	return e.setMaintenance(ctx, machineOrService, nil, "maintenance.ended", fmt.Sprintf("%s ended maintenance of %s.", by, machineOrService), by)
}

func (e *Engine) setMaintenance(ctx context.Context, name string, m *pool.Maintenance, kind, text, by string) error {
	for try := 0; ; try++ {
		d := &draft{now: time.Now().UTC(), mint: mint}
		ev := d.tell(kind, pool.Info, "%s", text)
		ev.By = by
		svc, err := e.Store.Service(ctx, name)
		switch {
		case err == nil && svc.Phase != pool.ServiceRemoved:
			d.service(&svc).Maintenance = m
			ev.Service = svc.Name
		case err != nil && !errors.Is(err, pool.ErrNotFound):
			return err
		default:
			app, err := e.Store.Application(ctx, name)
			if err == nil && app.Phase != pool.ServiceRemoved {
				return e.maintainApplication(ctx, app, m, kind, text, by)
			}
			if err != nil && !errors.Is(err, pool.ErrNotFound) {
				return err
			}
			machine, err := e.Store.MachineByName(ctx, name)
			if err != nil {
				return err
			}
			d.machine(&machine).Maintenance = m
			ev.Machine = machine.ID
		}
		err = e.apply(ctx, d)
		if errors.Is(err, pool.ErrConflict) && try < 9 {
			continue
		}
		if err == nil {
			return e.wakeInstances(ctx, name)
		}
		return err
	}
}

// maintainApplication begins or ends maintenance of all services of an
// application at once.
func (e *Engine) maintainApplication(ctx context.Context, app pool.Application, m *pool.Maintenance, kind, text, by string) error {
	for try := 0; ; try++ {
		d := &draft{now: time.Now().UTC(), mint: mint}
		d.application(&app).Maintenance = m
		d.tell(kind, pool.Info, "%s", text).By = by
		for _, key := range app.Services {
			svc, err := e.Store.Service(ctx, key)
			if errors.Is(err, pool.ErrNotFound) || err == nil && svc.Phase == pool.ServiceRemoved {
				continue
			}
			if err != nil {
				return err
			}
			d.service(&svc).Maintenance = m
		}
		err := e.apply(ctx, d)
		if errors.Is(err, pool.ErrConflict) && try < 9 {
			if app, err = e.Store.Application(ctx, app.Name); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		for _, key := range app.Services {
			if err := e.wakeInstances(ctx, key); err != nil {
				return err
			}
		}
		return nil
	}
}

// wakeInstances asks for a tick of what a service's instances do.
func (e *Engine) wakeInstances(ctx context.Context, service string) error {
	all, err := e.Store.Instances(ctx, service)
	if err != nil {
		return err
	}
	for _, in := range all {
		e.q.add("i:" + in.ID)
	}
	return nil
}
