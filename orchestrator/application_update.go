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

// UpdateApplication begins to take an application to another version of its
// recipe: its services one after the other, each by a rollout of its own after
// those that it depends on; what is new is deployed, what is gone is removed at
// the end. What fails takes all of them back. Errors wrap ErrNotFound,
// ErrInvalid and ErrConflict.
func (e *Engine) UpdateApplication(ctx context.Context, o pool.ApplicationOptions) (pool.Application, error) {
	e.init()
	for try := 0; ; try++ {
		app, err := e.updateApplication(ctx, o)
		if !errors.Is(err, pool.ErrConflict) || try == 9 || app.Rev == 0 {
			return app, err
		}
	}
}

func (e *Engine) updateApplication(ctx context.Context, o pool.ApplicationOptions) (pool.Application, error) {
	if err := e.freshPlan(ctx, o.Plan); err != nil {
		return pool.Application{}, err
	}
	app, u, err := e.applicationTarget(ctx, o)
	if err != nil {
		return pool.Application{}, err
	}
	span, err := e.updateTime(ctx, appUpdate{u})
	if err != nil {
		return pool.Application{}, err
	}
	d := &draft{now: time.Now().UTC(), mint: mint}
	a := d.application(&app)
	u.StartedAt, u.Deadline = d.now, d.now.Add(span)
	a.Update, a.Cause = u, nil
	a.Services = nil
	for _, w := range u.Want {
		a.Services = append(a.Services, w.Key)
	}
	for _, b := range (appUpdate{u}).gone() {
		a.Services = append(a.Services, b.Key)
	}
	d.tell("application.updating", pool.Info, "%s asked for application %s to go from %s to %s.", o.By, app.Name, shortDigest(u.From.Digest), shortDigest(u.To.Digest)).By = o.By
	return app, e.apply(ctx, d)
}

// updateTime is how long an update may take: its services go one after the
// other, each with the time of a rollout of its own.
func (e *Engine) updateTime(ctx context.Context, u appUpdate) (time.Duration, error) {
	span := rolloutTime(1)
	for _, w := range append(u.gone(), u.Want...) {
		svc, err := e.Store.Service(ctx, w.Key)
		if err != nil && !errors.Is(err, pool.ErrNotFound) {
			return 0, err
		}
		span += rolloutTime(max(svc.Instances, w.Recipe.Instances))
	}
	return span, nil
}

func shortDigest(digest string) string { return digest[:min(len(digest), 19)] }

// appUpdate adds what the engine asks of an update.
type appUpdate struct{ *pool.ApplicationUpdate }

func (u appUpdate) before(key string) (pool.ServiceWanted, bool) {
	i := slices.IndexFunc(u.Before, func(b pool.ServiceWanted) bool { return b.Key == key })
	if i < 0 {
		return pool.ServiceWanted{}, false
	}
	return u.Before[i], true
}

// gone are the services that the new version does not have, each before those
// it depends on.
func (u appUpdate) gone() (out []pool.ServiceWanted) {
	for _, b := range u.Before {
		if !slices.ContainsFunc(u.Want, func(w pool.ServiceWanted) bool { return w.Key == b.Key }) {
			out = append(out, b)
		}
	}
	slices.Reverse(out)
	return out
}

// applicationTarget checks what was asked for against what is there.
func (e *Engine) applicationTarget(ctx context.Context, o pool.ApplicationOptions) (pool.Application, *pool.ApplicationUpdate, error) {
	name := o.Name
	if name == "" {
		name = strings.ToLower(o.Recipe.Name)
	}
	app, err := e.Store.Application(ctx, name)
	if err != nil {
		return app, nil, err
	}
	refuse := func(kind error, format string, args ...any) (pool.Application, *pool.ApplicationUpdate, error) {
		return pool.Application{}, nil, fmt.Errorf("%w: update application %s: %s", kind, name, fmt.Sprintf(format, args...))
	}
	switch {
	case app.Phase == pool.ServiceRemoved:
		return refuse(pool.ErrNotFound, "it was removed")
	case app.Phase != pool.ServiceRunning && app.Phase != pool.ServiceFailed:
		return refuse(pool.ErrConflict, "it is %s; only one that runs is updated", app.Phase)
	case app.Update.Open():
		return refuse(pool.ErrConflict, "the update by %s is under way: wait for it, or roll it back", app.Update.By)
	case o.Recipe.Name != app.Recipe.Name:
		return refuse(pool.ErrInvalid, "it is made of %s, not of %s", app.Recipe.Name, o.Recipe.Name)
	case o.Recipe.Digest == app.Recipe.Digest && app.Phase == pool.ServiceRunning:
		return refuse(pool.ErrConflict, "it is made of this recipe already (%s)", o.Recipe.Digest)
	}
	u := &pool.ApplicationUpdate{Stage: pool.RolloutRolling, From: app.Recipe, To: o.Recipe, Image: o.Image, Batch: max(o.Batch, 1), Health: o.Health, By: o.By}
	if u.Want, err = wantedServices(name, o.Members); err != nil {
		return refuse(pool.ErrInvalid, "%v", err)
	}
	for _, key := range app.Services {
		svc, err := e.Store.Service(ctx, key)
		if errors.Is(err, pool.ErrNotFound) || err == nil && svc.Phase == pool.ServiceRemoved {
			continue
		}
		if err != nil {
			return app, nil, err
		}
		if svc.Rollout.Open() {
			return refuse(pool.ErrConflict, "service %s is being updated: wait for it, or roll it back", key)
		}
		u.Before = append(u.Before, pool.ServiceWanted{Key: key, Recipe: svc.Recipe, Revision: svc.Revision, DependsOn: svc.DependsOn})
	}
	return app, u, nil
}

// wantedServices sorts the services of an application: each after those it
// depends on.
func wantedServices(app string, members []pool.RecipeInfo) ([]pool.ServiceWanted, error) {
	var names []string
	byName, needs := map[string]pool.RecipeInfo{}, map[string][]string{}
	for _, r := range members {
		base := strings.TrimPrefix(r.Name, r.Application+".")
		names = append(names, base)
		byName[base], needs[base] = r, r.DependsOn
	}
	order, err := pool.SortDependencies(names, needs)
	if err != nil {
		return nil, err
	}
	var out []pool.ServiceWanted
	for _, base := range order {
		w := pool.ServiceWanted{Key: pool.ServiceKey(app, strings.ToLower(base)), Recipe: byName[base], DependsOn: []string{}}
		for _, need := range needs[base] {
			w.DependsOn = append(w.DependsOn, pool.ServiceKey(app, strings.ToLower(need)))
		}
		out = append(out, w)
	}
	return out, nil
}

// appMove is what an update of an application does next; at most one thing.
type appMove struct {
	update *pool.ServiceWanted // take it there: its recipe, or, going back, its revision
	back   bool
	deploy *pool.ServiceWanted
	remove string
	undo   string      // the rollout that is under way
	turn   *pool.Cause // go back
	end    pool.RolloutStage
	cause  *pool.Cause // of end
}

// planUpdate decides what comes next. It is pure: nothing but the rows is
// looked at, so a restart goes on where it was.
func planUpdate(u appUpdate, services map[string]pool.Service, now time.Time) appMove {
	if u.Stage == pool.RolloutBack {
		return u.backward(services, now)
	}
	overdue := !now.Before(u.Deadline)
	for i := range u.Want {
		w := &u.Want[i]
		svc, there := services[w.Key]
		_, was := u.before(w.Key)
		switch {
		case overdue:
			return appMove{turn: cause("application.overdue", "The update was not done in time.", "until "+u.Deadline.Format(time.RFC3339), "Look at its services, then update again.", "", now)}
		case !there && was:
			return appMove{turn: cause("service.removed", "Service "+w.Key+" was removed meanwhile.", "", "Update again.", "", now)}
		case !there:
			return appMove{deploy: w}
		case svc.Rollout.Open() || svc.Phase == pool.ServiceDeploying || svc.Phase == pool.ServiceRecovering || svc.Phase == pool.ServiceRemoving:
			return appMove{} // it is waited for
		case svc.Phase == pool.ServiceFailed && (!was || svc.Recipe.Digest == w.Recipe.Digest):
			return appMove{turn: svc.Cause}
		case svc.Recipe.Digest == w.Recipe.Digest && slices.Equal(svc.DependsOn, w.DependsOn):
			continue
		case ended(svc.Rollout, u.StartedAt):
			return appMove{turn: svc.Rollout.Cause}
		default:
			return appMove{update: w}
		}
	}
	for _, b := range u.gone() {
		if svc, there := services[b.Key]; there {
			if svc.Phase == pool.ServiceRemoving {
				return appMove{}
			}
			return appMove{remove: b.Key}
		}
	}
	return appMove{end: pool.RolloutDone}
}

// ended says whether a rollout of this update has ended badly.
func ended(r *pool.Rollout, since time.Time) bool {
	return r != nil && !r.StartedAt.Before(since) && (r.Stage == pool.RolloutUndone || r.Stage == pool.RolloutFailed)
}

// backward takes the services back, in the other order.
func (u appUpdate) backward(services map[string]pool.Service, now time.Time) appMove {
	for i := range slices.Backward(u.Want) {
		w := &u.Want[i]
		svc, there := services[w.Key]
		b, was := u.before(w.Key)
		switch {
		case !there:
			continue
		case !was && svc.Phase == pool.ServiceRemoving:
			return appMove{}
		case !was:
			return appMove{remove: w.Key}
		case svc.Rollout.Open() && svc.Rollout.Target() != b.Revision:
			return appMove{undo: w.Key}
		case svc.Rollout.Open() || svc.Phase == pool.ServiceDeploying || svc.Phase == pool.ServiceRecovering:
			return appMove{}
		case svc.Revision == b.Revision && svc.Phase == pool.ServiceFailed:
			return appMove{end: pool.RolloutFailed, cause: svc.Cause}
		case svc.Revision == b.Revision && slices.Equal(svc.DependsOn, b.DependsOn):
			continue
		default:
			return appMove{update: &b, back: true}
		}
	}
	return appMove{end: pool.RolloutUndone, cause: u.Cause}
}

// tickUpdate does what the planner answers: one thing, each a transaction of
// its own that shows in the rows.
func (e *Engine) tickUpdate(ctx context.Context, app pool.Application, list []pool.Service) error {
	u := appUpdate{app.Update}
	services := map[string]pool.Service{}
	for _, s := range list {
		if s.Phase != pool.ServiceRemoved {
			services[s.Name] = s
		}
	}
	now := time.Now().UTC()
	m := planUpdate(u, services, now)
	var err error
	switch {
	case m.deploy != nil:
		base := strings.TrimPrefix(m.deploy.Key, app.Name+".")
		_, err = e.Deploy(ctx, pool.DeployOptions{Name: base, Application: app.Name, Recipe: m.deploy.Recipe, DependsOn: m.deploy.DependsOn, Image: u.Image, By: "application " + app.Name})
	case m.update != nil && m.back:
		err = e.change1(ctx, m.update.Key, pool.UpdateOptions{To: m.update.Revision, Batch: u.Batch, Health: u.Health, DependsOn: m.update.DependsOn}, app.Name)
	case m.update != nil:
		err = e.change1(ctx, m.update.Key, pool.UpdateOptions{Recipe: m.update.Recipe, Batch: u.Batch, Health: u.Health, DependsOn: m.update.DependsOn}, app.Name)
	case m.remove != "":
		_, err = e.Remove(ctx, m.remove, false, "application "+app.Name)
	case m.undo != "":
		_, err = e.Steer(ctx, m.undo, Undo, "application "+app.Name)
	case m.turn != nil || m.end != "":
		return e.endUpdate(ctx, app, m, now)
	}
	e.q.addAt("a:"+app.Name, now.Add(30*time.Second)) // what is waited for wakes it; this is for what nobody tells
	never := errors.As(err, new(unfit))
	switch {
	case err == nil || errors.Is(err, pool.ErrConflict) && !never || ctx.Err() != nil:
		return err // looked at again
	case never || errors.Is(err, pool.ErrUnavailable) || errors.Is(err, pool.ErrInvalid) || errors.Is(err, pool.ErrNotFound):
		c := cause("application.update", "Application "+app.Name+" cannot be updated as asked.", err.Error(), "Mend the recipe or add machines, then update again.", "", now)
		if u.Stage == pool.RolloutBack {
			return e.endUpdate(ctx, app, appMove{end: pool.RolloutFailed, cause: c}, now)
		}
		return e.endUpdate(ctx, app, appMove{turn: c}, now)
	}
	return err
}

// change1 changes one service, also when only what it starts after differs.
func (e *Engine) change1(ctx context.Context, key string, o pool.UpdateOptions, app string) error {
	o.By = "application " + app
	if o.DependsOn == nil {
		o.DependsOn = []string{}
	}
	svc, err := e.Store.Service(ctx, key)
	if err != nil {
		return err
	}
	if o.To == svc.Revision || o.To == 0 && o.Recipe.Digest == svc.Recipe.Digest {
		d := &draft{now: time.Now().UTC(), mint: mint}
		d.service(&svc).DependsOn = o.DependsOn
		return e.apply(ctx, d)
	}
	_, err = e.Update(ctx, key, o)
	return err
}

// endUpdate turns an update round, or ends it.
func (e *Engine) endUpdate(ctx context.Context, app pool.Application, m appMove, now time.Time) error {
	u := *app.Update
	d := &draft{now: now, mint: mint}
	a := d.application(&app)
	a.Update = &u
	if m.end == "" {
		u.Stage, u.Cause, u.Deadline = pool.RolloutBack, m.turn, now.Add(u.Deadline.Sub(u.StartedAt))
		d.tell("application.back", pool.Problem, "Application %s goes back to %s: %s", app.Name, shortDigest(u.From.Digest), messageOf(m.turn)).Cause = m.turn
		return e.apply(ctx, d)
	}
	u.Stage, u.EndedAt = m.end, now
	u.Cause = m.cause
	keep := u.Before
	kind, sev, text := "application.undone", pool.Warning, "Application %s is made of %s again."
	switch m.end {
	case pool.RolloutDone:
		keep, a.Recipe = u.Want, u.To
		kind, sev, text = "application.updated", pool.Info, "Application %s is updated to %s."
	case pool.RolloutFailed:
		kind, sev, text = "application.stuck", pool.Problem, "Application %s cannot go back to %s."
		keep = append(slices.Clone(u.Before), u.Want...)
	default:
	}
	a.Services = nil
	for _, w := range keep {
		if !slices.Contains(a.Services, w.Key) {
			a.Services = append(a.Services, w.Key)
		}
	}
	digest := u.From.Digest
	if m.end == pool.RolloutDone {
		digest = u.To.Digest
	}
	d.tell(kind, sev, text, app.Name, shortDigest(digest)).Cause = u.Cause
	return e.apply(ctx, d)
}

// UndoApplication takes an update that is under way back. Errors wrap
// ErrConflict when there is none that goes forward.
func (e *Engine) UndoApplication(ctx context.Context, name, by string) (pool.Application, error) {
	for try := 0; ; try++ {
		app, err := e.Store.Application(ctx, name)
		if err != nil {
			return app, err
		}
		if !app.Update.Open() || app.Update.Stage != pool.RolloutRolling {
			return app, fmt.Errorf("%w: undo the update of application %s: none is under way", pool.ErrConflict, name)
		}
		now := time.Now().UTC()
		err = e.endUpdate(ctx, app, appMove{turn: cause("application.undo", by+" asked for it.", "", "None is needed.", "", now)}, now)
		if !errors.Is(err, pool.ErrConflict) || try == 9 {
			return app, err
		}
	}
}

// PlanApplicationUpdate says what UpdateApplication would do. It changes nothing.
func (e *Engine) PlanApplicationUpdate(ctx context.Context, o pool.ApplicationOptions) (pool.Plan, error) {
	look, err := e.outlook(ctx)
	if err != nil {
		return pool.Plan{}, err
	}
	app, u, err := e.applicationTarget(ctx, o)
	if err != nil {
		return pool.Plan{}, err
	}
	p := pool.Plan{Digest: look.digest, At: look.now, Application: app.Name, Services: []pool.ServicePlan{}}
	var demands []demand
	for _, w := range u.Want {
		b, was := (appUpdate{u}).before(w.Key)
		switch {
		case !was:
			base := strings.TrimPrefix(w.Key, app.Name+".")
			svc, t, err := e.newService(ctx, pool.DeployOptions{Name: base, Application: app.Name, Recipe: w.Recipe, DependsOn: w.DependsOn, Image: o.Image})
			if err != nil {
				return pool.Plan{}, err
			}
			demands = append(demands, demand{svc: svc, template: t, count: svc.Instances, first: 1})
		case b.Recipe.Digest == w.Recipe.Digest:
			p.Services = append(p.Services, pool.ServicePlan{Service: w.Key, Action: pool.PlanNone, Recipe: w.Recipe.Name, Digest: w.Recipe.Digest, DependsOn: w.DependsOn})
		default:
			sp, err := e.PlanUpdate(ctx, w.Key, pool.UpdateOptions{Recipe: w.Recipe, Batch: u.Batch})
			if err != nil {
				return pool.Plan{}, err
			}
			sp.Services[0].DependsOn = w.DependsOn
			p.Services = append(p.Services, sp.Services...)
			p.Problems = append(p.Problems, sp.Problems...)
			p.Expected += sp.Expected // one after the other
			p.Unmeasured += sp.Unmeasured
		}
	}
	if len(demands) > 0 {
		more := propose(look, demands)
		p.Services = append(p.Services, more.Services...)
		p.Problems = append(p.Problems, more.Problems...)
		p.Expected += more.Expected
		p.Unmeasured += more.Unmeasured
	}
	for _, b := range (appUpdate{u}).gone() {
		p.Services = append(p.Services, pool.ServicePlan{Service: b.Key, Action: pool.PlanRemove, Recipe: b.Recipe.Name, Digest: b.Recipe.Digest, From: b.Revision})
	}
	return p, nil
}
