package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"appliance/pool"
)

const (
	// settlePause is the wait between the end of a process and its next start.
	settlePause = 2 * time.Second
	// steady is how long an instance runs until what happened before counts no more.
	steady = 10 * time.Minute
	// commandEvent is put before the name of a custom command that runs as an event.
	commandEvent   = "command:"
	promoteCommand = "promote"
	restoreCommand = "restore"
)

// recycleWait is the wait before an instance is begun anew after its n-th
// failure in a row: 15 s, doubling, 10 minutes at most.
func recycleWait(n int) time.Duration {
	return min(15*time.Second<<min(max(n, 1)-1, 10), 10*time.Minute)
}

// tolerant says of a step of the way up that its failure is told and passed
// over: what was there before is taken down as far as it goes.
func tolerant(name string) bool {
	return slices.Contains(downEvents(), name) || name == stepCleanup
}

// events returns those of names that the recipe has for this instance.
func (v *iview) events(names []string) []string {
	var out []string
	for _, e := range names {
		has := slices.Contains(v.rev.Recipe.Events, e) || e == stepLocator && v.rev.Recipe.Locator
		if has && (e != "preServiceStart" || v.in.Number == 1) {
			out = append(out, e)
		}
	}
	return out
}

// downs returns those of names that take the instance down. What was started
// and has no stop event is ended by its agent.
func (v *iview) downs(names []string) []string {
	var out []string
	for _, n := range names {
		if slices.Contains(v.rev.Recipe.Events, n) || n == "stop" && slices.Contains(v.rev.Recipe.Events, "start") {
			out = append(out, n)
		}
	}
	return out
}

// storing mounts the disk of the instance's data, if it has one.
func (v *iview) storing() []string {
	if v.rev.Recipe.Storage == "" {
		return nil
	}
	return []string{stepStorage}
}

// begin makes the steps that bring the instance up, the watch last.
func (v *iview) begin(d *draft, seq int, names []string) {
	names = slices.DeleteFunc(names, func(n string) bool { return n == stepWatch })
	if h := v.in.Heal; h != nil && h.Backup != "" && slices.Contains(names, stepPrepare) {
		names = append(names, stepRestore)
	}
	names = append(names, stepWatch)
	v.steps = append(v.steps, d.newSteps(v.in.ID, v.m.ID, v.m.Epoch, seq, v.now.Add(24*time.Hour), names, v.spec)...)
}

// nextRound leaves the steps so far behind.
func (v *iview) nextRound(d *draft) *pool.Instance {
	in := d.instance(v.in)
	for _, s := range v.steps {
		if s.Status == pool.StepPending || s.Status == pool.StepRunning {
			d.end(s, pool.StepCancelled, in.Cause)
		}
	}
	d.newRound(in)
	in.Watch, in.NotBefore = "", time.Time{}
	d.round, v.steps = in.Round, nil
	return in
}

// relaunch starts a service again whose process ended, without installing it:
// postStop (if stopped says that it ran until now), a pause, preStart, start,
// startDetection, locator, postStart.
func (v *iview) relaunch(d *draft, c *pool.Cause, stopped bool) {
	quick := v.now.Sub(v.in.RunningAt) < steady
	in := v.nextRound(d)
	in.Cause, in.Phase = c, pool.InstanceStarting
	wait := settlePause
	if in.Stops++; !quick || !stopped {
		in.Stops = 0
	}
	if in.Stops > 1 { // it does not last: less and less often
		wait = recycleWait(in.Stops - 1)
	}
	var names []string
	if stopped {
		names = v.events([]string{"postStop"})
	}
	names = append(names, v.storing()...) // after a boot it is not mounted
	v.begin(d, 1, append(names, v.events([]string{"preStart", "start", "startDetection", stepLocator, "postStart"})...))
	for _, s := range v.steps {
		if s.Name != "postStop" {
			s.NotBefore = v.now.Add(wait)
			break
		}
	}
	v.away(d, c)
	v.tell(d, "instance.relaunch", pool.Warning, "%s is started again: %s", v.title(), messageOf(c)).Cause = c
	v.advance(d)
}

// away shows a service as recovering that ran.
func (v *iview) away(d *draft, c *pool.Cause) {
	if v.svc.Phase == pool.ServiceRunning || v.svc.Phase == pool.ServiceRecovering || v.svc.Phase == pool.ServiceFailed {
		svc := d.service(v.svc)
		svc.Phase, svc.Cause = pool.ServiceRecovering, c
	}
}

// recycle takes down what is left of an instance on its machine and brings it
// up from init. What stateful services have on their disks stays: shutdown,
// in which recipes remove things, is run only for one that never ran.
func (v *iview) recycle(d *draft) {
	c, ran := v.in.Cause, !v.in.RunningAt.IsZero()
	in := v.nextRound(d)
	in.Phase = pool.InstanceInstalling
	down := []string{"preStop", "stop", "postStop"}
	if !ran || !v.rev.Recipe.Stateful {
		down = append(down, "shutdown")
	}
	names := append(v.downs(down), stepCleanup, stepPrepare)
	names = append(names, v.storing()...)
	v.begin(d, 1, append(names, v.events(upEvents())...))
	if ran {
		v.away(d, c)
	} else if v.svc.Phase == pool.ServiceFailed {
		d.service(v.svc).Phase = pool.ServiceDeploying
	}
	v.tell(d, "instance.recycle", pool.Warning, "%s is begun anew on %s, after %d failures in a row.", v.title(), v.m.Name, in.Failures).Cause = c
	v.advance(d)
}

// retryLater counts a failure, and says when the instance is begun anew if
// the recipe's retries allow it.
func (v *iview) retryLater(d *draft) {
	in := d.instance(v.in)
	in.Failures++
	if v.svc.Rollout.Open() {
		return // the rollout decides
	}
	if r := v.rev.Recipe.Retries; r >= 0 && in.Failures > r {
		return
	}
	wait := recycleWait(in.Failures)
	in.NotBefore = v.now.Add(wait)
	v.tell(d, "instance.retrying", pool.Info, "%s is begun anew in %s.", v.title(), pool.Span(wait))
}

// failed waits until a failed instance is due to be begun anew.
func (v *iview) failed(dec *decision) {
	at := v.in.NotBefore
	if at.IsZero() || v.m == nil || v.m.Instance != v.in.ID || v.m.Phase != pool.Active {
		return
	}
	if until, ok := v.maintained(); ok {
		dec.wake = until
		return
	}
	if v.now.Before(at) {
		dec.wake = at
		return
	}
	v.recycle(&dec.draft)
}

// running looks at an instance that runs: one whose machine was started anew
// has to be started, too, for nothing on it starts by itself.
func (v *iview) running(dec *decision) {
	settle(&dec.draft, v.svc, v.in, v.siblings)
	l := v.live
	if v.in.BootID == "" || v.m == nil || l.mode != pool.Installed || !l.trusted || l.bootID == v.in.BootID {
		return
	}
	if until, ok := v.maintained(); ok {
		dec.wake = until
		return
	}
	v.relaunch(&dec.draft, cause("machine.restarted", fmt.Sprintf("%s was started anew.", v.m.Name),
		"its agent reports another boot", "None is needed.", "", v.now), false)
}

// maintained says whether somebody works on the service or its machine, and
// when to look again.
func (v *iview) maintained() (time.Time, bool) {
	for _, m := range []*pool.Maintenance{v.svc.Maintenance, v.machineMaintenance()} {
		if m.Holds(v.now) {
			return earliest(m.Until, v.now.Add(time.Minute)), true
		}
	}
	return time.Time{}, false
}

func (v *iview) machineMaintenance() *pool.Maintenance {
	if v.m == nil {
		return nil
	}
	return v.m.Maintenance
}

// Watched takes what an agent says of an instance that it watches. Errors wrap
// ErrNotFound when it is not to be watched any more, and ErrConflict while
// somebody works on it: the agent says it again.
func (e *Engine) Watched(ctx context.Context, r pool.WatchReport) error {
	e.init()
	s, err := e.Store.Step(ctx, r.Watch)
	if err != nil {
		return err
	}
	gone := fmt.Errorf("%w: watch %s has ended", pool.ErrNotFound, r.Watch)
	if s.Machine != r.Machine || s.Name != stepWatch {
		return gone
	}
	for try := 0; ; try++ {
		v, err := e.iview(ctx, s.Owner)
		if err != nil {
			return err
		}
		if v.in.Phase != pool.InstanceRunning || v.in.Watch != r.Watch || v.in.Machine != r.Machine || v.m == nil {
			return gone
		}
		d := v.draft()
		if err := v.watched(&d, r); err != nil {
			return err
		}
		err = e.apply(ctx, &d)
		if !errors.Is(err, pool.ErrConflict) || try == 9 {
			return err
		}
	}
}

func (v *iview) watched(d *draft, r pool.WatchReport) error {
	switch r.State {
	case pool.WatchRestarted:
		v.tell(d, "instance.restarted", pool.Warning, "%s had stopped (%s) while the appliance was not reached; its agent started it again at %s.",
			v.title(), r.Why, r.At.UTC().Format("15:04:05")).Machine = v.m.ID
		return nil
	case pool.WatchStopped:
	default:
		return fmt.Errorf("%w: watch state %q", pool.ErrInvalid, r.State)
	}
	if _, ok := v.maintained(); ok {
		return fmt.Errorf("%w: %s is in maintenance", pool.ErrConflict, v.title())
	}
	v.relaunch(d, cause("service.stopped", fmt.Sprintf("%s has stopped on %s: %s.", v.title(), v.m.Name, r.Why), r.Evidence,
		"None is needed: it is started again. If it stops again and again, read its output.", "", v.now), true)
	return nil
}
