package orchestrator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"appliance/pool"
)

// defaultHealth is how long an instance must run before it counts as healthy.
const defaultHealth = 10 * time.Second

// Update begins to take a service to another recipe, or to a revision that it
// had: on each instance's own machine, a batch at a time. Going to an old
// revision needs no canary and has none. Errors wrap ErrInvalid, ErrConflict
// (nothing to change; another update is under way; it does not run) and
// ErrUnavailable (no machine for the extra batch).
func (e *Engine) Update(ctx context.Context, service string, o pool.UpdateOptions) (pool.Service, error) {
	for try := 0; ; try++ {
		svc, err := e.update(ctx, service, o)
		if !errors.Is(err, pool.ErrConflict) || try == 9 || svc.Rev == 0 {
			return svc, err
		}
	}
}

func (e *Engine) update(ctx context.Context, service string, o pool.UpdateOptions) (pool.Service, error) {
	e.init()
	svc, err := e.Store.Service(ctx, service)
	if err != nil {
		return pool.Service{}, err
	}
	revisions, err := e.Store.Revisions(ctx, service)
	if err != nil {
		return pool.Service{}, err
	}
	if err := e.freshPlan(ctx, o.Plan); err != nil {
		return pool.Service{}, err
	}
	target, err := e.targetOf(ctx, svc, revisions, o)
	if err != nil {
		return pool.Service{}, err
	}
	if o.Extra {
		if err := e.roomFor(ctx, target, max(o.Batch, 1)); err != nil {
			return pool.Service{}, err
		}
	}
	d := &draft{now: time.Now().UTC(), mint: mint}
	d.service(&svc)
	if svc.Revision == 0 || len(revisions) == 0 { // of before there were revisions
		svc.Revision = 1
		d.revision(svc, svc.By)
	}
	r := &pool.Rollout{From: svc.Revision, To: o.To, Stage: pool.RolloutRolling, Canary: o.Canary, Auto: o.Auto, Batch: max(o.Batch, 1),
		Extra: o.Extra, Health: cmp.Or(o.Health, defaultHealth), By: o.By, StartedAt: d.now, Deadline: d.now.Add(rolloutTime(svc.Instances))}
	svc.Recipe, svc.Template, svc.Image = target.Recipe, target.Template, target.Image
	if o.DependsOn != nil {
		svc.DependsOn = o.DependsOn
	}
	if o.To != 0 {
		svc.Revision, r.Canary = o.To, 0
	} else {
		r.To = len(revisions) + 1 + len(d.Revisions)
		svc.Revision = r.To
		d.revision(svc, o.By)
	}
	if r.Canary > 0 {
		r.Stage = pool.RolloutCanary
		if !r.Auto {
			r.Deadline = d.now.Add(24 * time.Hour) // for a person
		}
	}
	svc.Rollout, svc.Cause, svc.Phase = r, nil, pool.ServiceRunning
	ev := d.tell("rollout.started", pool.Info, "%s asked for %s to go from revision %d to %d.", o.By, service, r.From, r.To)
	ev.Service, ev.By = service, o.By
	return svc, e.apply(ctx, d)
}

// mayUpdate says why a service cannot be updated as asked.
func mayUpdate(svc pool.Service, revisions []pool.Revision, o pool.UpdateOptions) error {
	refuse := func(kind error, format string, args ...any) error {
		return fmt.Errorf("%w: update service %s: %s", kind, svc.Name, fmt.Sprintf(format, args...))
	}
	known := slices.ContainsFunc(revisions, func(r pool.Revision) bool { return r.Number == o.To })
	switch {
	case svc.Rollout.Open():
		return refuse(pool.ErrConflict, "the update to revision %d by %s is under way: wait for it, or roll it back", svc.Rollout.To, svc.Rollout.By)
	case svc.Phase != pool.ServiceRunning && svc.Phase != pool.ServiceFailed:
		return refuse(pool.ErrConflict, "it is %s; only one that runs is updated", svc.Phase)
	case o.To != 0 && !known:
		return refuse(pool.ErrInvalid, "it has no revision %d; it has 1 to %d", o.To, len(revisions))
	case o.To != 0 && o.To == svc.Revision:
		return refuse(pool.ErrConflict, "it is at revision %d", o.To)
	case o.To == 0 && o.Recipe.Digest == svc.Recipe.Digest && svc.Phase == pool.ServiceRunning &&
		(o.Template == "" || o.Template == svc.Template) && (o.Image == "" || o.Image == svc.Image):
		return refuse(pool.ErrConflict, "it is made of this recipe already (%s)", o.Recipe.Digest)
	case o.To == 0 && o.Recipe.Name != svc.Recipe.Name:
		return refuse(pool.ErrInvalid, "it is made of recipe %s, not of %s", svc.Recipe.Name, o.Recipe.Name)
	case o.Batch < 0 || o.Batch > svc.Instances:
		return refuse(pool.ErrInvalid, "a batch of %d: it has %s", o.Batch, plural(svc.Instances, "instance"))
	case o.Canary < 0 || o.Canary > 0 && o.Canary >= svc.Instances:
		return refuse(pool.ErrInvalid, "a canary of %d: it has %s, and some must stay as they are", o.Canary, plural(svc.Instances, "instance"))
	}
	return nil
}

// roomFor refuses an extra batch for which there are no machines.
func (e *Engine) roomFor(ctx context.Context, svc pool.Service, n int) error {
	_, err := e.extraPlaces(ctx, svc, n, 1)
	return err
}

// extraPlaces plans n more instances of a service.
func (e *Engine) extraPlaces(ctx context.Context, svc pool.Service, n, number int) ([]pool.InstancePlan, error) {
	look, err := e.outlook(ctx)
	if err != nil {
		return nil, err
	}
	t, err := e.template(ctx, svc.Template)
	if err != nil {
		return nil, err
	}
	p := propose(look, []demand{{svc: svc, template: wantedBy(t, svc.Recipe, svc.Image), count: n, first: number}})
	if len(p.Problems) > 0 {
		return nil, fmt.Errorf("%w: extra batch: %s", pool.ErrUnavailable, strings.Join(p.Problems, "; "))
	}
	return p.Services[0].Instances, nil
}

// RolloutAction is what a person can say to a rollout.
type RolloutAction = string

// The actions.
const (
	Promote RolloutAction = "promote"
	Pause   RolloutAction = "pause"
	Resume  RolloutAction = "resume"
	Undo    RolloutAction = "undo"
)

// Steer lets a person promote a canary, pause, resume or undo the update of a
// service. Errors wrap ErrConflict when there is none that this fits.
func (e *Engine) Steer(ctx context.Context, service string, a RolloutAction, by string) (pool.Service, error) {
	for try := 0; ; try++ {
		svc, err := e.Store.Service(ctx, service)
		if err != nil {
			return svc, err
		}
		if !svc.Rollout.Open() {
			return svc, fmt.Errorf("%w: %s of service %s: no update is under way", pool.ErrConflict, a, service)
		}
		r := *svc.Rollout
		svc.Rollout = &r
		d := &draft{now: time.Now().UTC(), mint: mint}
		d.service(&svc)
		v := &rview{now: d.now, svc: &svc}
		var m move
		if err := steer(v, &m, a, by); err != nil {
			return svc, err
		}
		for _, f := range m.events {
			f(d)
		}
		ev := d.tell("rollout."+a, pool.Info, "%s asked for %s of the update of %s.", by, a, service)
		ev.Service, ev.By = service, by
		err = e.apply(ctx, d)
		if !errors.Is(err, pool.ErrConflict) || try == 9 {
			return svc, err
		}
	}
}

// steer changes a rollout as a person asks.
func steer(v *rview, m *move, a RolloutAction, by string) error {
	r := v.svc.Rollout
	unfit := fmt.Errorf("%w: %s of service %s: its update is %s", pool.ErrConflict, a, v.svc.Name, r.Stage)
	switch a {
	case Promote:
		if r.Stage != pool.RolloutApproval {
			return unfit
		}
		r.Stage, r.Deadline = pool.RolloutRolling, v.now.Add(rolloutTime(v.svc.Instances))
	case Pause, Resume:
		if r.Stage == pool.RolloutBack || r.Paused == (a == Pause) {
			return unfit
		}
		r.Paused = a == Pause
		if a == Resume {
			r.Deadline = v.now.Add(rolloutTime(v.svc.Instances))
		}
	case Undo:
		if r.Stage == pool.RolloutBack {
			return unfit
		}
		v.turn(m, nil, "%s asked for it", by)
	default:
		return fmt.Errorf("%w: %q: an update can be told to promote, pause, resume or undo", pool.ErrInvalid, a)
	}
	return nil
}

// tickRollout does what the planner answers for the rollout of a service, all
// of it in one transaction.
func (e *Engine) tickRollout(ctx context.Context, svc pool.Service) error {
	if !svc.Rollout.Open() {
		return nil
	}
	r := *svc.Rollout
	r.Extras = slices.Clone(r.Extras)
	svc.Rollout = &r
	v := &rview{now: time.Now().UTC(), svc: &svc}
	var err error
	if v.instances, err = e.Store.Instances(ctx, svc.Name); err != nil {
		return err
	}
	if v.from, err = e.Store.Revision(ctx, svc.Name, r.From); err != nil {
		return err
	}
	m := planRollout(v)
	d := &draft{now: v.now, mint: mint}
	if m.changed {
		d.service(&svc)
	}
	for _, f := range m.events {
		f(d)
	}
	if m.extra > 0 {
		if err := e.addExtra(ctx, d, v, m.extra); err != nil {
			return err
		}
	}
	for _, id := range m.update {
		iv, err := e.iview(ctx, id)
		if err != nil {
			return err
		}
		iv.svc = &svc
		renewing(iv, d, r.Target())
	}
	for _, id := range m.drop {
		iv, err := e.iview(ctx, id)
		if err != nil {
			return err
		}
		iv.svc, d.round = &svc, iv.in.Round
		iv.in.Next = 0
		stopping(iv, d)
	}
	if !m.wake.IsZero() {
		e.q.addAt("s:"+svc.Name, m.wake)
	}
	return e.apply(ctx, d)
}

// addExtra adds the extra batch. Machines that went meanwhile undo the update.
func (e *Engine) addExtra(ctx context.Context, d *draft, v *rview, n int) error {
	number := 0
	for _, in := range v.instances {
		number = max(number, in.Number)
	}
	places, err := e.extraPlaces(ctx, *v.svc, n, number+1)
	if errors.Is(err, pool.ErrUnavailable) {
		var m move
		v.turn(&m, &pool.Cause{Message: err.Error()}, "there is no machine for the extra batch")
		for _, f := range m.events {
			f(d)
		}
		return nil
	}
	if err != nil {
		return err
	}
	for _, p := range places {
		in := newInstance(d, *v.svc, p)
		v.svc.Rollout.Extras = append(v.svc.Rollout.Extras, in.ID)
	}
	return nil
}
