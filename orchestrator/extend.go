package orchestrator

import (
	"context"
	"errors"
	"time"

	"appliance/pool"
)

// extendAtOnce is how many deadlines are moved by one commit.
const extendAtOnce = 500

// extend moves open deadlines by the appliance's downtime, or by what its clock
// was set: of operations, of
// steps that run, of retries that keep the deadline of their first try, of
// recoveries and of updates.
// What has not begun gets its deadline when it begins. Killed between this and
// the next beat, it happens twice: that gives time, it takes none.
func (e *Engine) extend(ctx context.Context, down time.Duration) error {
	if down.Abs() < time.Second {
		return nil
	}
	ops, err := e.Store.OpenOperations(ctx)
	if err != nil {
		return err
	}
	steps, err := e.Store.TimedSteps(ctx)
	if err != nil {
		return err
	}
	c := pool.Change{}
	for i := range ops {
		ops[i].Deadline = ops[i].Deadline.Add(down)
		c.Operations = append(c.Operations, &ops[i])
	}
	for i := range steps {
		steps[i].Deadline = steps[i].Deadline.Add(down)
		c.Steps = append(c.Steps, &steps[i])
	}
	if err := errors.Join(e.extendLonger(ctx, down), e.extendCommands(ctx, down)); err != nil {
		return err
	}
	for !c.Empty() {
		part := pool.Change{}
		part.Operations, c.Operations = firstOf(c.Operations)
		part.Steps, c.Steps = firstOf(c.Steps)
		err := e.Store.Apply(ctx, &part)
		if errors.Is(err, pool.ErrConflict) {
			err = e.extendEach(ctx, part, down)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// extendLonger moves the deadlines of recoveries and updates, which are rows of
// instances, services and applications: a chassis that is on its way up, say,
// has not failed because the appliance was away.
func (e *Engine) extendLonger(ctx context.Context, down time.Duration) error {
	instances, err := e.Store.Instances(ctx, "")
	if err != nil {
		return err
	}
	services, err := e.Store.Services(ctx)
	if err != nil {
		return err
	}
	apps, err := e.Store.Applications(ctx)
	if err != nil {
		return err
	}
	for _, in := range instances {
		if in.Heal == nil || in.Heal.Deadline.IsZero() {
			continue
		}
		err := e.insist(func() error {
			in, err := e.Store.Instance(ctx, in.ID)
			if err != nil || in.Heal == nil || in.Heal.Deadline.IsZero() {
				return err
			}
			h := *in.Heal
			h.Deadline = h.Deadline.Add(down)
			in.Heal = &h
			return e.Store.Apply(ctx, &pool.Change{Instances: []*pool.Instance{&in}})
		})
		if err != nil {
			return err
		}
	}
	for _, svc := range services {
		if !svc.Rollout.Open() {
			continue
		}
		err := e.insist(func() error {
			svc, err := e.Store.Service(ctx, svc.Name)
			if err != nil || !svc.Rollout.Open() {
				return err
			}
			r := *svc.Rollout
			r.Deadline = r.Deadline.Add(down)
			svc.Rollout = &r
			return e.Store.Apply(ctx, &pool.Change{Services: []*pool.Service{&svc}})
		})
		if err != nil {
			return err
		}
	}
	for _, app := range apps {
		if !app.Update.Open() {
			continue
		}
		err := e.insist(func() error {
			app, err := e.Store.Application(ctx, app.Name)
			if err != nil || !app.Update.Open() {
				return err
			}
			u := *app.Update
			u.Deadline = u.Deadline.Add(down)
			app.Update = &u
			return e.Store.Apply(ctx, &pool.Change{Applications: []*pool.Application{&app}})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func firstOf[T any](list []T) (first, rest []T) {
	n := min(len(list), extendAtOnce)
	return list[:n], list[n:]
}

// extendEach is for when the API, which serves already, changed one of the
// rows: an agent that was quicker is no reason to fail.
func (e *Engine) extendEach(ctx context.Context, c pool.Change, down time.Duration) error {
	for _, o := range c.Operations {
		err := e.insist(func() error {
			op, err := e.Store.Operation(ctx, o.ID)
			if err != nil || !op.Status.Open() {
				return err
			}
			op.Deadline = op.Deadline.Add(down)
			return e.Store.Apply(ctx, &pool.Change{Operations: []*pool.Operation{&op}})
		})
		if err != nil {
			return err
		}
	}
	for _, o := range c.Steps {
		err := e.insist(func() error {
			s, err := e.Store.Step(ctx, o.Key)
			if err != nil || s.Status != pool.StepRunning && s.Status != pool.StepPending {
				return err
			}
			s.Deadline = s.Deadline.Add(down)
			return e.Store.Apply(ctx, &pool.Change{Steps: []*pool.Step{&s}})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// insist repeats what another was faster with.
func (e *Engine) insist(f func() error) error {
	for try := 0; ; try++ {
		err := f()
		if !errors.Is(err, pool.ErrConflict) || try == 9 {
			return gone(err)
		}
	}
}
