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

// settledPhase says whether others may wait for an instance to come to p.
func settledPhase(p pool.ServicePhase) bool {
	return p == pool.InstanceRunning || p == pool.InstanceFailed || p == pool.InstanceRemoved
}

// DeployApplication records an application and all its services in one
// transaction. Their instances take machines and install at the same time;
// each service starts once those it depends on run. Errors are those of
// Deploy; circles and missing names of dependencies are ErrInvalid.
func (e *Engine) DeployApplication(ctx context.Context, o pool.ApplicationOptions) (pool.Application, error) {
	look, err := e.outlook(ctx)
	if err != nil {
		return pool.Application{}, err
	}
	if err := look.fresh(o.Plan); err != nil {
		return pool.Application{}, err
	}
	app, demands, err := e.newApplication(ctx, o)
	if err != nil {
		return app, err
	}
	plan := propose(look, demands)
	if len(plan.Problems) > 0 {
		return app, fmt.Errorf("%w: %s", pool.ErrUnavailable, strings.Join(plan.Problems, "; "))
	}
	d := &draft{now: time.Now().UTC(), mint: mint}
	app.CreatedAt = d.now
	d.application(&app)
	d.tell("application.deploying", pool.Info, "%s asked for application %s: %s.", o.By, app.Name, strings.Join(app.Services, ", ")).By = o.By
	for i := range demands {
		create(d, &demands[i].svc, plan.Services[i].Instances, o.By)
	}
	return app, e.apply(ctx, d)
}

// PlanApplication says what DeployApplication would do. It changes nothing.
func (e *Engine) PlanApplication(ctx context.Context, o pool.ApplicationOptions) (pool.Plan, error) {
	look, err := e.outlook(ctx)
	if err != nil {
		return pool.Plan{}, err
	}
	app, demands, err := e.newApplication(ctx, o)
	if err != nil {
		return pool.Plan{}, err
	}
	plan := propose(look, demands)
	plan.Application = app.Name
	return plan, nil
}

// newApplication checks what was asked for and fills in what was left out.
func (e *Engine) newApplication(ctx context.Context, o pool.ApplicationOptions) (pool.Application, []demand, error) {
	app := pool.Application{Name: o.Name, Recipe: o.Recipe, Phase: pool.ServiceDeploying, By: o.By}
	if app.Name == "" {
		app.Name = strings.ToLower(o.Recipe.Name)
	}
	switch {
	case !serviceName.MatchString(app.Name) || app.Name == pool.DefaultApplication:
		return app, nil, fmt.Errorf("%w: application name %q: lower-case letters, digits and dashes, a letter first, 50 at most, not %s", pool.ErrInvalid, app.Name, pool.DefaultApplication)
	case len(o.Members) == 0:
		return app, nil, fmt.Errorf("%w: application %s has no services", pool.ErrInvalid, app.Name)
	}
	old, err := e.Store.Application(ctx, app.Name)
	if err == nil && old.Phase != pool.ServiceRemoved {
		return app, nil, fmt.Errorf("%w: application %s exists; choose another name, or remove it", pool.ErrConflict, app.Name)
	}
	if err != nil && !errors.Is(err, pool.ErrNotFound) {
		return app, nil, err
	}
	var names []string
	byName, needs := map[string]pool.RecipeInfo{}, map[string][]string{}
	for _, r := range o.Members {
		base := strings.TrimPrefix(r.Name, r.Application+".")
		names = append(names, base)
		byName[base], needs[base] = r, r.DependsOn
	}
	order, err := pool.SortDependencies(names, needs)
	if err != nil {
		return app, nil, fmt.Errorf("application %s: %w", app.Name, err)
	}
	var demands []demand
	for _, base := range order {
		var keys []string
		for _, need := range needs[base] {
			keys = append(keys, pool.ServiceKey(app.Name, need))
		}
		svc, t, err := e.newService(ctx, pool.DeployOptions{Name: strings.ToLower(base), Recipe: byName[base], Image: o.Image, By: o.By,
			Application: app.Name, DependsOn: keys})
		if err != nil {
			return app, nil, err
		}
		app.Services = append(app.Services, svc.Name)
		demands = append(demands, demand{svc: svc, template: t, count: svc.Instances, first: 1})
	}
	return app, demands, nil
}

// aview is all that the planner may look at for an application.
type aview struct {
	now      time.Time
	app      *pool.Application
	services []pool.Service // those that are there, in the order of app.Services
}

// planApplication decides what comes next for an application: the row as it
// is to be, and which services are to be removed now. It is pure.
func planApplication(v *aview) (d draft, remove []string) {
	d = draft{now: v.now}
	if v.app.Phase == pool.ServiceRemoved {
		return d, nil
	}
	if v.app.Phase == pool.ServiceRemoving {
		return d, v.removing(&d)
	}
	phase, c := pool.ServiceRunning, (*pool.Cause)(nil)
	for _, s := range v.services {
		switch s.Phase {
		case pool.ServiceFailed:
			phase, c = pool.ServiceFailed, s.Cause
		case pool.ServiceDeploying:
			if phase == pool.ServiceRunning {
				phase = pool.ServiceDeploying
			}
		default:
		}
	}
	if v.app.Phase == phase {
		return d, nil
	}
	a := d.application(v.app)
	a.Phase, a.Cause = phase, c
	switch phase {
	case pool.ServiceRunning:
		d.tell("application.running", pool.Info, "Application %s runs.", a.Name)
	case pool.ServiceFailed:
		d.tell("application.failed", pool.Problem, "Application %s failed: %s", a.Name, messageOf(c)).Cause = c
	default:
	}
	return d, nil
}

// removing returns the services that nothing depends on any more; when all
// are gone the application is.
func (v *aview) removing(d *draft) (remove []string) {
	left := false
	for _, s := range v.services {
		if s.Phase == pool.ServiceRemoved {
			continue
		}
		left = true
		needed := slices.ContainsFunc(v.services, func(o pool.Service) bool {
			return o.Phase != pool.ServiceRemoved && slices.Contains(o.DependsOn, s.Name)
		})
		if !needed && (s.Phase != pool.ServiceRemoving || v.app.Abandon) {
			remove = append(remove, s.Name)
		}
	}
	if !left {
		a := d.application(v.app)
		a.Phase, a.RemovedAt, a.Cause = pool.ServiceRemoved, v.now, nil
		d.Cleared = append(d.Cleared, "application:"+a.Name)
		d.tell("application.removed", pool.Info, "Application %s is removed.", a.Name)
	}
	return remove
}

func (e *Engine) tickApplication(ctx context.Context, name string) error {
	app, err := e.Store.Application(ctx, name)
	if err != nil {
		return gone(err)
	}
	v := &aview{now: time.Now().UTC(), app: &app}
	for _, key := range app.Services {
		s, err := e.Store.Service(ctx, key)
		if errors.Is(err, pool.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		v.services = append(v.services, s)
	}
	if app.Update.Open() && app.Phase != pool.ServiceRemoving && app.Phase != pool.ServiceRemoved {
		if err := e.tickUpdate(ctx, app, v.services); err != nil {
			return err
		}
		if app, err = e.Store.Application(ctx, name); err != nil {
			return gone(err)
		}
	}
	d, remove := planApplication(v)
	for _, key := range remove {
		end := func() (pool.Service, error) { return e.Remove(ctx, key, app.Wipe, "application "+name) }
		if app.Abandon {
			end = func() (pool.Service, error) { return e.Abandon(ctx, key, "application "+name) }
		}
		if _, err := end(); err != nil && !errors.Is(err, pool.ErrNotFound) {
			return err
		}
	}
	if len(remove) > 0 {
		e.q.add("a:" + name) // a service without instances is gone at once
	}
	return e.apply(ctx, &d)
}

// RemoveApplication ends an application: its services are removed in the
// reverse of the order in which they started. Errors wrap ErrNotFound.
func (e *Engine) RemoveApplication(ctx context.Context, name string, wipe bool, by string) (pool.Application, error) {
	return e.endApplication(ctx, name, wipe, false, by)
}

// AbandonApplication gives all services of an application up, as Abandon does
// one: nothing is asked of their machines. One whose removal is under way is
// given up from where it is. Errors wrap ErrNotFound.
func (e *Engine) AbandonApplication(ctx context.Context, name, by string) (pool.Application, error) {
	return e.endApplication(ctx, name, false, true, by)
}

func (e *Engine) endApplication(ctx context.Context, name string, wipe, abandon bool, by string) (pool.Application, error) {
	e.init()
	for try := 0; ; try++ {
		app, err := e.Store.Application(ctx, name)
		if err != nil {
			return app, err
		}
		switch app.Phase {
		case pool.ServiceRemoved:
			return app, fmt.Errorf("%w: application %s was removed", pool.ErrNotFound, name)
		case pool.ServiceRemoving:
			if abandon && !app.Abandon {
				break
			}
			e.q.add("a:" + name)
			return app, nil
		default:
		}
		d := &draft{now: time.Now().UTC(), mint: mint}
		a := d.application(&app)
		a.Phase, a.Wipe, a.Abandon, a.Cause = pool.ServiceRemoving, wipe && !abandon, abandon, nil
		if app.Update.Open() {
			u := *app.Update
			u.Stage, u.EndedAt = pool.RolloutFailed, d.now
			a.Update = &u
		}
		if abandon {
			d.tell("application.abandoning", pool.Warning, "%s gives up application %s.", by, name).By = by
		} else {
			d.tell("application.removing", pool.Info, "%s asked to remove application %s.", by, name).By = by
		}
		err = e.apply(ctx, d)
		if !errors.Is(err, pool.ErrConflict) || try == 9 {
			return app, err
		}
	}
}

// resumeServices asks for a look at every application and service that may
// have something under way.
func (e *Engine) resumeServices(ctx context.Context) error {
	apps, err := e.Store.Applications(ctx)
	if err != nil {
		return err
	}
	for _, a := range apps {
		if a.Phase != pool.ServiceRemoved {
			e.q.add("a:" + a.Name)
		}
	}
	services, err := e.Store.Services(ctx)
	if err != nil {
		return err
	}
	for _, s := range services {
		if s.Phase != pool.ServiceRemoved {
			e.q.add("s:" + s.Name)
		}
	}
	return nil
}

// needed refuses to remove a service that others of its application depend on.
func (e *Engine) needed(ctx context.Context, svc pool.Service) error {
	if svc.Application == "" {
		return nil
	}
	all, err := e.Store.Services(ctx)
	if err != nil {
		return err
	}
	for _, o := range all {
		if o.Application == svc.Application && o.Phase != pool.ServiceRemoved && slices.Contains(o.DependsOn, svc.Name) {
			return fmt.Errorf("%w: service %s depends on %s: remove it first, or the application: appliance application remove %s",
				pool.ErrConflict, o.Name, svc.Name, svc.Application)
		}
	}
	return nil
}

// lastDown is the index of the instance that ends the service, with
// preServiceStop: the first that can still be asked, for the original says
// once for each service; -1 when there is none.
func lastDown(live []pool.Instance) int {
	return slices.IndexFunc(live, func(in pool.Instance) bool {
		return in.Phase == pool.InstanceRunning || in.Machine != "" && in.Phase != pool.InstanceAcquiring
	})
}
