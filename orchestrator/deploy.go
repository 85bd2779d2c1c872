package orchestrator

import (
	"context"
	"fmt"
	"strings"
	"time"

	"appliance/pool"
)

// Deploy records a service whose instances then take machines and come up.
// Errors wrap ErrInvalid (with near names for what is unknown), ErrConflict
// for a name that is taken or a plan that is stale, and ErrUnavailable when
// too few machines fit: the message names the constraint that failed on each.
func (e *Engine) Deploy(ctx context.Context, o pool.DeployOptions) (pool.Service, error) {
	look, err := e.outlook(ctx)
	if err != nil {
		return pool.Service{}, err
	}
	if err := look.fresh(o.Plan); err != nil {
		return pool.Service{}, err
	}
	svc, t, err := e.newService(ctx, o)
	if err != nil {
		return pool.Service{}, err
	}
	plan := propose(look, []demand{{svc: svc, template: t, count: svc.Instances, first: 1}})
	if len(plan.Problems) > 0 {
		return pool.Service{}, fmt.Errorf("%w: %s", pool.ErrUnavailable, strings.Join(plan.Problems, "; "))
	}
	d := &draft{now: time.Now().UTC(), mint: mint}
	create(d, &svc, plan.Services[0].Instances, o.By)
	if err := e.apply(ctx, d); err != nil {
		return pool.Service{}, err
	}
	return svc, nil
}

// create writes a new service and its instances, each of which prefers the
// machine of its plan.
func create(d *draft, svc *pool.Service, places []pool.InstancePlan, by string) {
	svc.CreatedAt, svc.Revision = d.now, 1
	d.service(svc)
	d.revision(*svc, by)
	for _, p := range places {
		newInstance(d, *svc, p)
	}
	ev := d.tell("service.deploying", pool.Info, "%s asked for service %s (instances: %d).", by, svc.Name, svc.Instances)
	ev.Service, ev.By = svc.Name, by
}

// newInstance adds an instance that waits for its machine.
func newInstance(d *draft, svc pool.Service, p pool.InstancePlan) *pool.Instance {
	in := &pool.Instance{ID: d.mint("in"), Service: svc.Name, Number: p.Number, Revision: svc.Revision, Prefer: p.Machine,
		Phase: pool.InstanceWaiting, Step: stepAcquire, CreatedAt: d.now}
	d.instance(in)
	d.secret(tokenSecret(in.ID), pool.NewSecret(d.mint("")))
	s := d.newSteps(in.ID, "", 0, 1, d.now.Add(time.Hour), []string{stepAcquire}, func(string) spec {
		return spec{waits: true, idem: true, timeout: acquireTime, tries: 1}
	})[0]
	s.Status, s.StartedAt = pool.StepRunning, d.now
	return in
}
