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

// freshPlan refuses a plan that was made on another state.
func (e *Engine) freshPlan(ctx context.Context, plan string) error {
	if plan == "" {
		return nil
	}
	look, err := e.outlook(ctx)
	if err != nil {
		return err
	}
	return look.fresh(plan)
}

// targetOf is what a service becomes by an update. It says why that cannot be:
// an update changes instances where they are, so their machines must fit what
// is asked for.
func (e *Engine) targetOf(ctx context.Context, svc pool.Service, revisions []pool.Revision, o pool.UpdateOptions) (pool.Service, error) {
	if err := mayUpdate(svc, revisions, o); err != nil {
		return svc, err
	}
	target := svc
	target.Recipe = o.Recipe
	if o.To != 0 {
		i := slices.IndexFunc(revisions, func(r pool.Revision) bool { return r.Number == o.To })
		target.Recipe, target.Template, target.Image = revisions[i].Recipe, revisions[i].Template, revisions[i].Image
	}
	if o.Template != "" {
		target.Template = o.Template
	}
	t, err := e.template(ctx, target.Template)
	if err != nil {
		return svc, err
	}
	if o.Image != "" {
		if target.Image, err = e.imageName(ctx, o.Image, ""); err != nil {
			return svc, err
		}
	}
	if t, err = t.Storing(target.Recipe.Storage); err != nil {
		return svc, fmt.Errorf("update service %s: %w", svc.Name, err)
	}
	return target, e.fitsInPlace(ctx, svc, target, imaged(t, target.Image), o.WithoutData)
}

// unfit is a conflict that no other try will solve.
type unfit struct{ error }

func (u unfit) Unwrap() error { return u.error }

// fitsInPlace looks whether the machines that a service has will do for what
// it becomes.
func (e *Engine) fitsInPlace(ctx context.Context, svc, target pool.Service, t pool.Template, withoutData bool) error {
	changes := target.Template != svc.Template || target.Recipe.Storage != svc.Recipe.Storage
	if !changes && target.Image == svc.Image {
		return nil
	}
	instances, err := e.Store.Instances(ctx, svc.Name)
	if err != nil {
		return err
	}
	for _, in := range instances {
		if in.Machine == "" || in.Phase == pool.InstanceRemoved {
			continue
		}
		v, err := e.iview(ctx, in.ID)
		if err != nil {
			return err
		}
		if v.m == nil {
			continue
		}
		if no := t.Match(*v.m); changes && len(no) > 0 {
			return unfit{fmt.Errorf("%w: update service %s: %s runs on %s, which %s: an update changes instances where they are; deploy a service of another name with template %s, or scale this one on new machines",
				pool.ErrConflict, svc.Name, v.title(), v.m.Name, strings.Join(no, " and "), t.Name)}
		}
		if target.Image == v.rev.Image {
			continue
		}
		if v.m.Driver.Or() != pool.DriverMetal {
			return unfit{fmt.Errorf("%w: update service %s: %s runs on %s, which is of driver %s: an image is written anew only on metal", pool.ErrConflict, svc.Name, v.title(), v.m.Name, v.m.Driver.Or())}
		}
		if err := v.keepsData(withoutData); err != nil {
			return unfit{err}
		}
	}
	return nil
}

// PlanUpdate says what Update with the same options would do. It changes nothing.
func (e *Engine) PlanUpdate(ctx context.Context, service string, o pool.UpdateOptions) (pool.Plan, error) {
	look, err := e.outlook(ctx)
	if err != nil {
		return pool.Plan{}, err
	}
	svc, err := e.Store.Service(ctx, service)
	if err != nil {
		return pool.Plan{}, err
	}
	revisions, err := e.Store.Revisions(ctx, service)
	if err != nil {
		return pool.Plan{}, err
	}
	p := pool.Plan{Digest: look.digest, At: look.now, Services: []pool.ServicePlan{}}
	sp := pool.ServicePlan{Service: service, Action: pool.PlanUpdate, Recipe: o.Recipe.Name, Digest: o.Recipe.Digest, Template: svc.Template, Image: svc.Image,
		From: svc.Revision, DependsOn: svc.DependsOn}
	same := o.To == 0 && o.Recipe.Digest == svc.Recipe.Digest && (o.Template == "" || o.Template == svc.Template) && (o.Image == "" || o.Image == svc.Image)
	if same && !svc.Rollout.Open() {
		sp.Action = pool.PlanNone
		p.Services = append(p.Services, sp)
		return p, nil
	}
	target, err := e.targetOf(ctx, svc, revisions, o)
	switch {
	case errors.Is(err, pool.ErrConflict) || errors.Is(err, pool.ErrUnavailable):
		p.Problems = append(p.Problems, err.Error())
	case err != nil:
		return p, err
	default:
		sp.Template, sp.Image = target.Template, target.Image
	}
	if err := e.planInPlace(ctx, look, svc, target, max(o.Batch, 1), &sp, &p); err != nil {
		return p, err
	}
	p.Services = append(p.Services, sp)
	return p, nil
}

// planInPlace lists the steps that each instance is changed by.
func (e *Engine) planInPlace(ctx context.Context, look outlook, svc, target pool.Service, batch int, sp *pool.ServicePlan, p *pool.Plan) error {
	instances, err := e.Store.Instances(ctx, svc.Name)
	if err != nil {
		return err
	}
	var slowest time.Duration
	for _, in := range instances {
		if in.Phase == pool.InstanceRemoved {
			continue
		}
		v, err := e.iview(ctx, in.ID)
		if err != nil {
			return err
		}
		ip := pool.InstancePlan{Number: in.Number, Machine: in.Machine, Why: "it runs there, and is changed in place", Steps: []pool.StepPlan{}}
		if v.m != nil {
			ip.Name = v.m.Name
			names, recipe := v.downs([]string{"drain", "preStop", "stop", "postStop"}), v.rev.Recipe.Name
			if target.Image != v.rev.Image {
				ip.Why = "it runs there; image " + target.Image + " is written to its system's disk"
				names = append(names, opSteps(pool.Operation{Kind: pool.OpDeploy}, *v.m, look.live[v.m.ID])...)
			}
			names = append(names, upSteps(target.Recipe, 0)...)
			if slices.Contains(target.Recipe.Commands, checkCommand) {
				names = append(names, stepCheck)
			}
			for _, n := range names {
				t := look.times.of(recipe, n, modelOf(*v.m))
				ip.Steps = append(ip.Steps, pool.StepPlan{Name: n, Expected: t.Mean, Samples: t.N})
				ip.Expected += t.Mean
				if t.N == 0 {
					p.Unmeasured++
				}
			}
		}
		slowest = max(slowest, ip.Expected)
		sp.Instances = append(sp.Instances, ip)
	}
	sp.Expected = (slowest + defaultHealth) * time.Duration((len(sp.Instances)+batch-1)/batch)
	p.Expected = max(p.Expected, sp.Expected)
	return nil
}
