package orchestrator

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"appliance/pool"
)

// rview is all that the planner may look at for the rollout of a service.
type rview struct {
	now       time.Time
	svc       *pool.Service
	instances []pool.Instance // that are not removed
	from      pool.Revision   // what an undone rollout goes back to
}

// move is what a rollout does next: the service's row is changed in place.
type move struct {
	changed bool     // the row is to be written
	update  []string // instances to take to the target
	extra   int      // instances to add
	drop    []string // instances to remove
	wake    time.Time
	events  []func(*draft)
}

func (m *move) tell(v *rview, kind string, sev pool.Severity, c *pool.Cause, format string, args ...any) {
	m.changed = true
	name, text := v.svc.Name, fmt.Sprintf(format, args...)
	m.events = append(m.events, func(d *draft) {
		e := d.tell(kind, sev, "%s", text)
		e.Service, e.Cause = name, c
	})
}

// split sorts the instances by where they are on the way to the target.
type split struct {
	healthy []string        // at the target, long enough
	way     []pool.Instance // on their way there, or not there long enough
	old     []pool.Instance // not there, and serving
	broken  []pool.Instance // failed, at the target or on the way to it
	lame    []pool.Instance // failed or not serving, at another revision
	extras  []pool.Instance
	settle  time.Time // when the next of them has run long enough
}

func (v *rview) split() split {
	r, t := v.svc.Rollout, v.svc.Rollout.Target()
	var s split
	all := slices.Clone(v.instances)
	slices.SortFunc(all, func(a, b pool.Instance) int { return cmp.Compare(a.Number, b.Number) })
	for _, in := range all {
		if in.Phase == pool.InstanceRemoved {
			continue
		}
		extra := slices.Contains(r.Extras, in.ID)
		if extra {
			s.extras = append(s.extras, in)
			if r.Target() != r.To {
				continue // it goes, whatever it does
			}
		}
		if ends(in) && in.Next == 0 {
			continue // it was scaled in, or is an extra one whose time is over
		}
		to := in.Revision == t && in.Next == 0 || in.Next == t
		switch {
		case to && in.Phase == pool.InstanceFailed:
			s.broken = append(s.broken, in)
		case to && in.Phase == pool.InstanceRunning && in.Next == 0 && !v.now.Before(in.RunningAt.Add(r.Health)):
			if !extra {
				s.healthy = append(s.healthy, in.ID)
			}
		case to:
			s.way = append(s.way, in)
			if in.Phase == pool.InstanceRunning && in.Next == 0 {
				s.settle = earliest(s.settle, in.RunningAt.Add(r.Health))
			}
		case in.Phase == pool.InstanceRecovering: // it is healed first: its machine may be off
			s.way = append(s.way, in)
		case in.Phase == pool.InstanceRunning && in.Next == 0:
			s.old = append(s.old, in)
		default:
			s.lame = append(s.lame, in)
		}
	}
	return s
}

// planRollout decides what comes next for a rollout. It is pure but for the
// row of the service, which is the planner's own copy.
func planRollout(v *rview) move {
	r := v.svc.Rollout
	m := move{}
	if !r.Open() {
		return m
	}
	if v.svc.Phase == pool.ServiceRemoving || v.svc.Phase == pool.ServiceRemoved {
		r.Stage, r.EndedAt = pool.RolloutFailed, v.now
		m.tell(v, "rollout.failed", pool.Warning, nil, "The update of %s ends: the service is being removed.", v.svc.Name)
		return m
	}
	if r.Stage == pool.RolloutBack {
		v.back(&m)
	} else {
		v.forward(&m)
	}
	if r.Open() && m.wake.IsZero() {
		m.wake = r.Deadline
	}
	return m
}

// forward takes the next instances to the new revision; what fails turns it round.
func (v *rview) forward(m *move) {
	r, s := v.svc.Rollout, v.split()
	switch {
	case len(s.broken) > 0:
		v.turn(m, s.broken[0].Cause, "instance %d failed at revision %d", s.broken[0].Number, r.To)
		return
	case !v.now.Before(r.Deadline):
		what := "it was not done"
		if r.Stage == pool.RolloutApproval {
			what = "nobody promoted its canary"
		}
		v.turn(m, nil, "%s within %s", what, pool.Span(r.Deadline.Sub(r.StartedAt)))
		return
	case r.Paused || r.Stage == pool.RolloutApproval:
		return
	case r.Extra && len(r.Extras) == 0 && len(s.old)+len(s.lame) > 0:
		m.extra = r.Batch
		m.tell(v, "rollout.extra", pool.Info, nil, "%s gets %s more while it is updated.", v.svc.Name, plural(r.Batch, "instance"))
		return
	case len(s.way) > 0:
		m.wake = s.settle
		return
	}
	todo := append(slices.Clone(s.lame), s.old...)
	if r.Stage == pool.RolloutCanary {
		if left := r.Canary - len(s.healthy); left > 0 && len(todo) > 0 {
			v.begin(m, todo[:min(left, len(todo))])
			return
		}
		r.Stage = pool.RolloutApproval
		if r.Auto {
			r.Stage = pool.RolloutRolling
		}
		m.tell(v, "rollout.canary", pool.Info, nil, "The canary of %s is healthy at revision %d; %s.", v.svc.Name, r.To,
			map[bool]string{true: "the others follow", false: "somebody is to promote it, or to roll it back"}[r.Auto])
		return
	}
	if len(todo) > 0 {
		v.begin(m, todo[:min(r.Batch, len(todo))])
		return
	}
	if v.gone(m, s.extras) {
		r.Stage, r.EndedAt = pool.RolloutDone, v.now
		m.tell(v, "rollout.done", pool.Info, nil, "%s is updated to revision %d.", v.svc.Name, r.To)
	}
}

// gone says whether the extra instances are gone, and removes them if not.
func (v *rview) gone(m *move, extras []pool.Instance) bool {
	for _, in := range extras {
		if in.Phase != pool.InstanceStopping && in.Phase != pool.InstanceReleasing || in.Next != 0 {
			m.drop = append(m.drop, in.ID)
		}
	}
	return len(extras) == 0
}

func (v *rview) begin(m *move, list []pool.Instance) {
	for _, in := range list {
		m.update = append(m.update, in.ID)
	}
	if len(list) > 0 {
		r := v.svc.Rollout
		m.tell(v, "rollout.batch", pool.Info, nil, "%s: %s to revision %d.", v.svc.Name, plural(len(list), "instance"), r.Target())
	}
}

// turn begins the way back.
func (v *rview) turn(m *move, c *pool.Cause, format string, args ...any) {
	r := v.svc.Rollout
	evidence := ""
	if c != nil {
		evidence = c.Message
	}
	why := fmt.Sprintf(format, args...)
	r.Cause = cause("rollout.undone", fmt.Sprintf("The update of %s to revision %d is undone: %s.", v.svc.Name, r.To, why), evidence,
		"Read what the instance's steps printed (appliance service logs), mend the recipe, then update again.", "", v.now)
	r.Stage, r.Paused = pool.RolloutBack, false
	r.Deadline = v.now.Add(rolloutTime(max(len(v.instances), v.svc.Instances)))
	m.tell(v, "rollout.back", pool.Problem, r.Cause, "%s goes back to revision %d: %s.", v.svc.Name, r.From, why)
}

// back takes every instance to the old revision: those that serve nothing at
// once, the others batch by batch, without a canary.
func (v *rview) back(m *move) {
	r, s := v.svc.Rollout, v.split()
	extrasGone := v.gone(m, s.extras)
	if len(s.broken) > 0 || !v.now.Before(r.Deadline) {
		text, evidence := "it was not done within "+pool.Span(r.Deadline.Sub(r.StartedAt)), ""
		if len(s.broken) > 0 {
			text = fmt.Sprintf("instance %d failed at revision %d, too", s.broken[0].Number, r.From)
			evidence = messageOf(s.broken[0].Cause)
		}
		c := cause("rollout.stuck", fmt.Sprintf("%s cannot go back to revision %d: %s.", v.svc.Name, r.From, text), evidence,
			"Look at the instance; then retry the service, or update it again.", "", v.now)
		r.Stage, r.EndedAt, r.Cause = pool.RolloutFailed, v.now, c
		v.svc.Phase, v.svc.Cause = pool.ServiceFailed, c
		m.tell(v, "rollout.failed", pool.Problem, c, "%s", c.Message)
		return
	}
	if v.svc.Revision != r.From { // what is new gets the old revision from now on
		v.svc.Revision, v.svc.Recipe, v.svc.Template, v.svc.Image = r.From, v.from.Recipe, v.from.Template, v.from.Image
		m.changed = true
	}
	switch {
	case len(s.lame) > 0:
		v.begin(m, s.lame)
	case len(s.way) > 0:
		m.wake = s.settle
	case len(s.old) > 0:
		v.begin(m, s.old[:min(r.Batch, len(s.old))])
	case extrasGone:
		r.Stage, r.EndedAt = pool.RolloutUndone, v.now
		m.tell(v, "rollout.undone", pool.Warning, r.Cause, "%s runs at revision %d again.", v.svc.Name, r.From)
	}
}

// rolloutTime is how long a rollout of n instances may take.
func rolloutTime(n int) time.Duration { return 2*time.Hour + time.Duration(n)*15*time.Minute }

// renewing takes an instance down on its machine, to come up at revision next.
func renewing(v *iview, d *draft, next int) {
	in := d.instance(v.in)
	if in.Machine == "" || in.Phase == pool.InstanceWaiting || in.Phase == pool.InstanceAcquiring || v.m == nil || v.m.Instance != in.ID {
		in.Revision, in.Next = next, 0 // nothing of the old one is there yet
		return
	}
	for _, s := range latest(v.steps) {
		if s.Status == pool.StepPending || s.Status == pool.StepRunning {
			d.end(s, pool.StepCancelled, cause("service.updated", v.title()+" goes to another revision.", "", "None is needed.", s.Name, d.now))
		}
	}
	in.Next, in.Cause = next, nil
	d.newRound(in)
	d.round = in.Round
	v.takeDown(d, v.downs([]string{"drain", "preStop", "stop", "postStop"}))
	v.tell(d, "instance.updating", pool.Info, "%s goes from revision %d to %d.", v.title(), in.Revision, next)
}

// renew brings an instance up at the revision that it was taken down for.
func (v *iview) renew(d *draft) {
	if v.next.Image != v.rev.Image && v.m.Driver.Or() == pool.DriverMetal {
		v.reimage(d)
		return
	}
	in := d.instance(v.in)
	in.Revision, in.Next = in.Next, 0
	d.newRound(in)
	d.round = in.Round
	v.rev = *v.next
	names := slices.DeleteFunc(upSteps(v.rev.Recipe, in.Number), func(n string) bool { return n == "preServiceStart" })
	names = v.checking(names)
	v.steps = d.newSteps(in.ID, v.m.ID, v.m.Epoch, 2, v.now.Add(24*time.Hour), names, v.spec)
	in.Phase = pool.InstanceInstalling
	v.advance(d)
}

// checkCommand is the custom command that says whether an instance serves.
const checkCommand = "check"

// checking adds the gate of a rollout to the steps that bring an instance up.
func (v *iview) checking(names []string) []string {
	if !v.gated() {
		return names
	}
	return slices.Insert(names, len(names)-1, stepCheck) // before the watch
}

// gated says whether a rollout goes on only once the recipe's command check
// has succeeded on the instance. The way back takes what it gets.
func (v *iview) gated() bool {
	return v.svc.Rollout.Open() && v.svc.Rollout.Stage != pool.RolloutBack && slices.Contains(v.rev.Recipe.Commands, checkCommand)
}

// strict says that what fails on the way down fails the instance: it is being
// updated, and its old process may run on. On the way back nothing is lost by
// passing over it.
func (v *iview) strict() bool {
	return v.in.Next != 0 && v.svc.Rollout.Open() && v.svc.Rollout.Stage != pool.RolloutBack
}
