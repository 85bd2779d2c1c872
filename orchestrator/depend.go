package orchestrator

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"appliance/pool"
)

// stepDepends waits until each service that this one depends on has an
// instance that runs. Machines and installations do not wait for it.
const stepDepends = "dependencies"

// dependTime is how long an instance waits for the services it depends on.
const dependTime = 2 * time.Hour

// dependency is a service that another one depends on, as it is now.
type dependency struct {
	key   string
	phase pool.ServicePhase // empty: there is none
	runs  bool              // it has an instance that runs
	cause *pool.Cause
}

// gated puts the wait for dependencies before the first event of the start.
func gated(svc pool.Service, names []string) []string {
	if len(svc.DependsOn) == 0 {
		return names
	}
	i := slices.IndexFunc(names, func(n string) bool {
		return slices.Index(upEvents(), n) >= slices.Index(upEvents(), "preStart")
	})
	if i < 0 {
		i = len(names)
	}
	return slices.Insert(names, i, stepDepends)
}

// depends reads the services that svc depends on.
func (e *Engine) depends(ctx context.Context, svc pool.Service) ([]dependency, error) {
	var out []dependency
	for _, key := range svc.DependsOn {
		d := dependency{key: key}
		other, err := e.Store.Service(ctx, key)
		switch {
		case errors.Is(err, pool.ErrNotFound):
		case err != nil:
			return nil, err
		default:
			d.phase, d.cause = other.Phase, other.Cause
			instances, err := e.Store.Siblings(ctx, key)
			if err != nil {
				return nil, err
			}
			d.runs = slices.ContainsFunc(instances, func(in *pool.Instance) bool { return in.Phase == pool.InstanceRunning })
		}
		out = append(out, d)
	}
	return out, nil
}

// missing returns the services that do not run yet.
func (v *iview) missing() []dependency {
	return slices.DeleteFunc(slices.Clone(v.depends), func(d dependency) bool { return d.runs })
}

// depend begins the wait for dependencies, or passes over it.
func (v *iview) depend(d *draft, s *pool.Step) {
	d.begin(s)
	d.instance(v.in).Step = s.Name
	missing := v.missing()
	if len(missing) == 0 {
		d.end(s, pool.StepDone, nil)
		v.advance(d)
		return
	}
	v.tellStep(d, s, "step.started", pool.Info, "%s is installed and waits for %s.", v.title(), list(missing))
}

func list(missing []dependency) string {
	var names []string
	for _, d := range missing {
		names = append(names, d.key)
	}
	return strings.Join(names, ", ")
}

// waits looks at a wait for dependencies that is under way.
func (v *iview) waits(dec *decision, s *pool.Step) {
	d, missing := &dec.draft, v.missing()
	gone := slices.ContainsFunc(missing, func(d dependency) bool {
		return d.phase == "" || d.phase == pool.ServiceRemoving || d.phase == pool.ServiceRemoved
	})
	switch {
	case len(missing) == 0:
		d.end(s, pool.StepDone, nil)
		v.tellStep(d, s, "step.done", pool.Info, "%s: what it depends on runs.", v.title())
		v.advance(d)
	case gone || !v.now.Before(s.Deadline):
		v.again(d, s, v.lacking(s, missing, gone))
	default:
		dec.wake = s.Deadline
	}
}

func (v *iview) lacking(s *pool.Step, missing []dependency, gone bool) *pool.Cause {
	var seen []string
	for _, d := range missing {
		text := d.key + " is " + string(d.phase)
		if d.phase == "" {
			text = d.key + " does not exist"
		}
		if d.cause != nil {
			text += ": " + d.cause.Message
		}
		seen = append(seen, text)
	}
	if gone {
		return cause("dependency.gone", v.title()+" depends on "+list(missing)+", which is not there any more.", strings.Join(seen, "; "),
			"Deploy it again, then retry; or remove this service.", s.Name, v.now)
	}
	return cause("dependency.timeout", v.title()+" waited "+pool.Span(v.now.Sub(s.StartedAt))+" for "+list(missing)+", which did not run.",
		strings.Join(seen, "; "), "Look at what it depends on (appliance service show), then retry.", s.Name, v.now)
}

// allRun notes that all instances of a service came up, if nobody did yet: of
// two that come up at once each sees the other under way. It is asked of the
// service, not of each instance, so that one of a thousand writes it.
func (e *Engine) allRun(ctx context.Context, svc pool.Service) error {
	if svc.Phase != pool.ServiceDeploying && svc.Phase != pool.ServiceRecovering {
		return nil
	}
	instances, err := e.Store.Siblings(ctx, svc.Name)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(instances, func(in *pool.Instance) bool { return in.Phase == pool.InstanceRunning })
	if i < 0 {
		return nil
	}
	v, err := e.iview(ctx, instances[i].ID)
	if err != nil {
		return gone(err)
	}
	if v.in.Phase != pool.InstanceRunning {
		return nil // its next change asks again
	}
	d := v.draft()
	v.serviceRuns(&d)
	if v.err != nil {
		return v.err
	}
	return e.apply(ctx, &d)
}

// tickService looks at a service one of whose instances changed its phase: it
// may run as a whole, and what depends on it may go on.
func (e *Engine) tickService(ctx context.Context, name string) error {
	svc, err := e.Store.Service(ctx, name)
	if err != nil {
		return gone(err)
	}
	if err := e.allRun(ctx, svc); err != nil {
		return err
	}
	if err := e.tickRollout(ctx, svc); err != nil || svc.Application == "" {
		return err
	}
	app, err := e.Store.Application(ctx, svc.Application)
	if err != nil {
		return gone(err)
	}
	e.q.add("a:" + svc.Application)
	for _, key := range app.Services {
		other, err := e.Store.Service(ctx, key)
		if err != nil || !slices.Contains(other.DependsOn, name) {
			continue
		}
		instances, err := e.Store.Siblings(ctx, key)
		if err != nil {
			return err
		}
		for _, in := range instances {
			if in.Step == stepDepends {
				e.q.add("i:" + in.ID)
			}
		}
	}
	return nil
}
