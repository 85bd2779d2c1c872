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

// scaleEvery is how often the engine looks whether samples are due or came.
const scaleEvery = time.Second

// reloadEvery is how long a new service may wait for its first sample.
const reloadEvery = 5 * time.Second

// Scale sets the number of instances of a service. More get the free numbers
// from 1 on and machines of the pool; fewer lose the highest numbers first:
// each is drained and stopped by its recipe's events, then its machine goes
// back. Erasing the disks of what goes needs wipe, or a recipe that says
// stateful false. Errors wrap ErrInvalid for a number that the recipe does not
// allow, ErrConflict for a service that is not elastic or is changing, and
// ErrUnavailable when too few machines fit.
func (e *Engine) Scale(ctx context.Context, service string, n int, wipe bool, by string) (pool.Service, error) {
	e.init()
	for try := 0; ; try++ {
		svc, err := e.Store.Service(ctx, service)
		if err != nil {
			return svc, err
		}
		if err := checkScale(svc, n); err != nil {
			return svc, err
		}
		d := pool.ScalingDecision{Service: service, At: time.Now().UTC(), By: by, Action: pool.ScaleOut, From: svc.Instances, To: n,
			Why: by + " asked for " + plural(n, "instance")}
		if n < svc.Instances {
			d.Action = pool.ScaleIn
		}
		if n == svc.Instances {
			return svc, nil
		}
		svc, err = e.scaleTo(ctx, svc, d, wipe)
		if !errors.Is(err, pool.ErrConflict) || try == 9 {
			return svc, err
		}
	}
}

func checkScale(svc pool.Service, n int) error {
	least, most := bounds(svc)
	switch {
	case svc.Phase == pool.ServiceRemoved:
		return fmt.Errorf("%w: service %s was removed", pool.ErrNotFound, svc.Name)
	case svc.Phase == pool.ServiceRemoving:
		return fmt.Errorf("%w: service %s is being removed", pool.ErrUnavailable, svc.Name)
	case !svc.Recipe.Elastic:
		return fmt.Errorf("%w: service %s is not elastic: its recipe has to say: elastic true", pool.ErrInvalid, svc.Name)
	case svc.Rollout.Open():
		return fmt.Errorf("%w: service %s is being changed: wait until its rollout has ended, or roll it back", pool.ErrUnavailable, svc.Name)
	case n < least || n > most:
		return fmt.Errorf("%w: service %s: %s: recipe %s allows %d to %d", pool.ErrInvalid, svc.Name, plural(n, "instance"), svc.Recipe.Name, least, most)
	}
	return nil
}

// scaleTo makes a decision come true, in one transaction with its record.
func (e *Engine) scaleTo(ctx context.Context, svc pool.Service, dec pool.ScalingDecision, wipe bool) (pool.Service, error) {
	all, err := e.Store.Instances(ctx, svc.Name)
	if err != nil {
		return svc, err
	}
	d := &draft{now: time.Now().UTC(), mint: mint}
	d.service(&svc)
	svc.Instances, svc.Scaled, svc.ScaledAt, svc.ScaleSettled = dec.To, dec.Action, d.now, time.Time{}
	d.Decisions = append(d.Decisions, &dec)
	ev := d.tell("service.scaling", pool.Info, "Service %s goes from %d to %s: %s.", svc.Name, dec.From, plural(dec.To, "instance"), dec.Why)
	ev.Service, ev.By = svc.Name, dec.By
	if missing := missingNumbers(all, dec.To); len(missing) > 0 {
		if err := e.grow(ctx, d, &svc, missing); err != nil {
			return svc, err
		}
	}
	for _, in := range surplus(all, dec.To) {
		v, err := e.iview(ctx, in.ID)
		if err != nil {
			return svc, err
		}
		v.svc = &svc
		v.in.Wipe = wipe || !svc.Recipe.Stateful
		stopping(v, d)
	}
	return svc, e.apply(ctx, d)
}

// grow adds instances with the given numbers; there must be machines for them.
func (e *Engine) grow(ctx context.Context, d *draft, svc *pool.Service, numbers []int) error {
	t, err := e.template(ctx, svc.Template)
	if err != nil {
		return err
	}
	look, err := e.outlook(ctx)
	if err != nil {
		return err
	}
	plan := propose(look, []demand{{svc: *svc, template: wantedBy(t, svc.Recipe, svc.Image), count: len(numbers), first: numbers[0]}})
	if len(plan.Problems) > 0 {
		return fmt.Errorf("%w: %s", pool.ErrUnavailable, strings.Join(plan.Problems, "; "))
	}
	if svc.Phase == pool.ServiceRunning {
		svc.Phase = pool.ServiceDeploying
	}
	for i, n := range numbers {
		p := plan.Services[0].Instances[i]
		p.Number = n
		newInstance(d, *svc, p)
	}
	return nil
}

// missingNumbers are the numbers from 1 to n that no instance has.
func missingNumbers(all []pool.Instance, n int) []int {
	var out []int
	for i := 1; i <= n; i++ {
		if !slices.ContainsFunc(all, func(in pool.Instance) bool { return in.Number == i && !ends(in) }) {
			out = append(out, i)
		}
	}
	return out
}

// surplus are the instances beyond n, the highest numbers first.
func surplus(all []pool.Instance, n int) []pool.Instance {
	var out []pool.Instance
	for _, in := range all {
		if in.Number > n && !ends(in) {
			out = append(out, in)
		}
	}
	slices.SortFunc(out, func(a, b pool.Instance) int { return cmp.Compare(b.Number, a.Number) })
	return out
}

// ends says whether an instance is on its way out, or gone.
func ends(in pool.Instance) bool {
	return in.Phase == pool.InstanceStopping || in.Phase == pool.InstanceReleasing || in.Phase == pool.InstanceRemoved
}

// settle notes that after a change of their number all instances of a service
// have come or gone: cool-downs count from now. in is what d changes.
func settle(d *draft, svc *pool.Service, in *pool.Instance, siblings func() []*pool.Instance) {
	if !svc.ScaleSettled.Before(svc.ScaledAt) || svc.Phase == pool.ServiceRemoving || svc.Phase == pool.ServiceRemoved {
		return
	}
	running := 0
	for _, o := range siblings() {
		if o.ID == in.ID {
			o = in
		}
		switch o.Phase {
		case pool.InstanceRemoved:
		case pool.InstanceRunning:
			running++
		default:
			return
		}
	}
	if running != svc.Instances {
		return
	}
	d.service(svc).Phase, svc.Cause, svc.ScaleSettled = pool.ServiceRunning, nil, d.now
	d.tell("service.scaled", pool.Info, "Service %s has %s.", svc.Name, plural(running, "instance")).Service = svc.Name
}

// scaleLoop samples the monitors of services, and lets their rules decide when
// new samples came.
func (e *Engine) scaleLoop(ctx context.Context) {
	s := scaler{engine: e, due: map[string]time.Time{}, told: map[string]string{}}
	every(ctx, scaleEvery, s.tick)
}

// scaler is what the loop remembers between looks; nothing in it must not be lost.
type scaler struct {
	engine *Engine
	due    map[string]time.Time // by service: the next sample
	told   map[string]string    // by service: why a change was held back last

	watched []string  // services that have rules or monitors
	reload  time.Time // when they are looked for again
}

func (s *scaler) tick(ctx context.Context) {
	now := time.Now()
	if !now.Before(s.reload) {
		if err := s.load(ctx, now); err != nil {
			if ctx.Err() == nil {
				s.engine.Log.Error("services not read for scaling", "err", err)
			}
			return
		}
	}
	news := s.engine.looks.takeNews()
	for _, name := range s.watched {
		if err := s.look(ctx, name, now, slices.Contains(news, name)); err != nil && ctx.Err() == nil {
			s.engine.Log.Error("scaling", "service", name, "err", err)
		}
	}
}

// load finds the services that are to be looked at each second: most have
// neither rules nor monitors. It lets go of readings of instances that are gone.
func (s *scaler) load(ctx context.Context, now time.Time) error {
	services, err := s.engine.Store.Services(ctx)
	if err != nil {
		return err
	}
	instances, err := s.engine.Store.Instances(ctx, "")
	if err != nil {
		return err
	}
	keep := map[string]bool{}
	for _, in := range instances {
		if in.Phase != pool.InstanceRemoved {
			keep[in.ID] = true
		}
	}
	s.engine.looks.forget(keep)
	s.watched, s.reload = nil, now.Add(reloadEvery)
	for _, svc := range services {
		if svc.Phase == pool.ServiceRemoved || svc.Phase == pool.ServiceRemoving {
			delete(s.due, svc.Name)
			delete(s.told, svc.Name)
		} else if len(svc.Recipe.Scaling.Rules) > 0 || svc.Recipe.HasMonitors {
			s.watched = append(s.watched, svc.Name)
		}
	}
	return nil
}

// look asks for the monitors of a service's instances when they are due, and
// lets its rules decide when there are new samples.
func (s *scaler) look(ctx context.Context, name string, now time.Time, news bool) error {
	decides := news
	due := !now.Before(s.due[name])
	if !due && !decides {
		return nil
	}
	svc, err := s.engine.Store.Service(ctx, name)
	if err != nil || svc.Phase == pool.ServiceRemoved || svc.Phase == pool.ServiceRemoving {
		return gone(err)
	}
	instances, err := s.engine.Store.Instances(ctx, name)
	if err != nil {
		return err
	}
	if due {
		s.due[name] = now.Add(max(svc.Recipe.Scaling.Sampling, time.Second))
		for _, in := range instances {
			if in.Phase != pool.InstanceRunning {
				continue
			}
			if err := s.engine.askLook(ctx, svc, in); err != nil {
				return err
			}
		}
	}
	if decides && len(svc.Recipe.Scaling.Rules) > 0 {
		return s.decide(ctx, svc, instances)
	}
	return nil
}

func (e *Engine) scaleView(svc pool.Service, instances []pool.Instance) scaleView {
	return scaleView{now: time.Now().UTC(), svc: svc, instances: instances, samples: e.looks.window}
}

// decide does what the rules of a service say now. What was held back is
// recorded once, until something else is.
func (s *scaler) decide(ctx context.Context, svc pool.Service, instances []pool.Instance) error {
	v := s.engine.scaleView(svc, instances)
	dec := decide(v)
	switch dec.Action {
	case pool.ScaleOut, pool.ScaleIn:
		_, err := s.engine.scaleTo(ctx, svc, dec, false)
		switch {
		case errors.Is(err, pool.ErrUnavailable):
			dec.Action, dec.To = pool.ScaleHeld, dec.From
			dec.Why = "no machine for it, although " + dec.Why + ": " + strings.TrimPrefix(err.Error(), pool.ErrUnavailable.Error()+": ")
		case errors.Is(err, pool.ErrConflict):
			return nil // something changed: the next samples decide
		default:
			delete(s.told, svc.Name)
			return err
		}
	case pool.ScaleHeld:
		if v.held() != "" {
			return nil // it only waits: the explanation of now says so
		}
	case pool.ScaleNone:
		delete(s.told, svc.Name)
		return nil
	}
	kind, _, _ := strings.Cut(dec.Why, ",")
	kind, _, _ = strings.Cut(kind, ":")
	if s.told[svc.Name] == kind {
		return nil
	}
	d := &draft{now: dec.At, mint: mint}
	d.Decisions = append(d.Decisions, &dec)
	d.tell("service.scaling-held", pool.Warning, "Service %s is not scaled: %s.", svc.Name, dec.Why).Service = svc.Name
	if err := s.engine.apply(ctx, d); err != nil {
		return err
	}
	s.told[svc.Name] = kind
	return nil
}

// ExplainScaling says what the rules of a service make of the samples now,
// without doing it. Errors wrap ErrNotFound.
func (e *Engine) ExplainScaling(ctx context.Context, service string) (pool.ScalingDecision, error) {
	e.init()
	svc, err := e.Store.Service(ctx, service)
	if err != nil {
		return pool.ScalingDecision{}, err
	}
	instances, err := e.Store.Instances(ctx, service)
	if err != nil {
		return pool.ScalingDecision{}, err
	}
	dec := decide(e.scaleView(svc, instances))
	if len(svc.Recipe.Scaling.Rules) == 0 {
		dec.Why = "the recipe has no scaling rules"
	}
	return dec, nil
}
