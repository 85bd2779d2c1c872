package orchestrator

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"appliance/pool"
)

const (
	// returnTime is how long a chassis that is switched on again may take
	// until its agent reports.
	returnTime = 10 * time.Minute
	// fenceAgain is the wait before a fencing that proved nothing is tried again.
	fenceAgain = time.Minute
	// lookAgain is how often somebody who waits looks for a machine or replica.
	lookAgain = 5 * time.Second
	// backupAttribute is set by a recipe to what its restore command needs,
	// once it has verified a backup.
	backupAttribute = "verifiedBackup"
	byHealing       = "healing"
)

// replica is a running instance that could take over.
type replica struct {
	in pool.Instance
	m  pool.Machine
}

// healable says whether the loss of its machine is the engine's business: it
// runs, is on its way up or to another revision, or is to be begun anew.
func healable(in pool.Instance) bool {
	switch in.Phase {
	case pool.InstanceInstalling, pool.InstanceStarting, pool.InstanceRunning:
		return true
	default:
		return in.Phase == pool.InstanceFailed && !in.NotBefore.IsZero() || in.Phase == pool.InstanceStopping && (in.Next != 0 || in.Reinstall)
	}
}

// lost turns an instance to its recovery: what was to be done on its machine
// is dropped.
func (v *iview) lost(d *draft, at time.Time, why string) {
	c := cause("machine.lost", fmt.Sprintf("%s, which runs %s, was lost.", v.m.Name, v.title()), why,
		"None is needed yet: the machine is being fenced.", v.in.Step, v.now)
	v.in.Cause = c
	in := v.nextRound(d)
	in.Phase, in.Cause, in.Step, in.Next, in.Reinstall = pool.InstanceRecovering, c, "", 0, false
	in.Heal = &pool.Heal{Stage: pool.HealFencing, Machine: v.m.ID, At: at, Since: v.now}
	v.away(d, c)
	v.tell(d, "instance.lost", pool.Problem, "%s lost its machine %s.", v.title(), v.m.Name).Cause = c
}

// recoveryView reads what a recovery may need: another machine, a replica, a backup.
func (e *Engine) recoveryView(ctx context.Context, v *iview) error {
	v.stopped, v.patience = e.healingStopped(), e.Return
	if v.in.Heal == nil {
		return nil
	}
	var err error
	if v.template.Name == "" {
		if v.template, err = e.template(ctx, v.rev.Template); err != nil {
			return err
		}
	}
	if err := e.choose(ctx, v); err != nil {
		return err
	}
	if slices.Contains(v.rev.Recipe.Commands, promoteCommand) {
		if err := e.findReplica(ctx, v); err != nil {
			return err
		}
	}
	if !slices.Contains(v.rev.Recipe.Commands, restoreCommand) {
		return nil
	}
	for _, scope := range []string{"instance:" + v.in.ID, "service:" + v.svc.Name} {
		a, err := e.Store.Attribute(ctx, scope, backupAttribute)
		if err != nil && !errors.Is(err, pool.ErrNotFound) {
			return err
		}
		if err == nil && v.backup == "" {
			v.backup = backupOf(a.Value)
		}
	}
	return nil
}

// backupOf reads an attribute's value: a text as it is, all else as JSON; what
// says no is no backup.
func backupOf(value string) string {
	var text string
	if json.Unmarshal([]byte(value), &text) == nil {
		return text
	}
	if value == "null" || value == "false" || value == "{}" || value == "[]" {
		return ""
	}
	return value
}

// findReplica looks for the running instance with the lowest number whose
// agent answers, or for the one that is being promoted.
func (e *Engine) findReplica(ctx context.Context, v *iview) error {
	all := slices.Clone(v.siblings())
	if v.err != nil {
		return v.err
	}
	slices.SortFunc(all, func(a, b *pool.Instance) int { return cmp.Compare(a.Number, b.Number) })
	for _, o := range all {
		if o.ID == v.in.ID || o.Phase != pool.InstanceRunning || v.in.Heal.Replica != "" && o.ID != v.in.Heal.Replica {
			continue
		}
		m, err := e.Store.Machine(ctx, o.Machine)
		if err != nil {
			return err
		}
		if p := e.presence(m.ID); p.mode == pool.Installed && p.trusted {
			v.replica = &replica{*o, m}
			return nil
		}
	}
	return nil
}

// recover decides what comes next for an instance whose machine was lost. It
// is pure.
func (v *iview) recover(dec *decision) {
	h := v.in.Heal
	if h == nil || v.m == nil {
		return
	}
	if v.stopped && h.Stage != pool.HealPromoting {
		dec.wake = v.now.Add(lookAgain)
		return
	}
	if until, ok := v.maintained(); ok {
		dec.wake = until
		return
	}
	switch h.Stage {
	case pool.HealFencing:
		v.fencing(dec)
	case pool.HealPowerOn:
		v.poweringOn(dec)
	case pool.HealPromoting:
		v.promoting(dec)
	case pool.HealWaiting, pool.HealReplacing:
		v.waiting(dec)
	}
}

// stage moves the recovery on.
func (v *iview) stage(d *draft, s pool.HealStage, within time.Duration) *pool.Heal {
	in := d.instance(v.in)
	h := *in.Heal
	h.Stage, h.Deadline = s, time.Time{}
	if within > 0 {
		h.Deadline = v.now.Add(within)
	}
	in.Heal = &h
	return in.Heal
}

// fencing waits for the proof that the lost machine is off.
func (v *iview) fencing(dec *decision) {
	d, op := &dec.draft, v.op
	switch {
	case v.m.Conditions.Is(pool.CondFenced):
		v.stage(d, pool.HealFencing, 0).Proof = true
		v.decide(d)
	case op != nil && op.Status.Open():
		dec.wake = op.Deadline
	case op != nil && op.Kind == pool.OpFence || !controlled(*v.m):
		v.unproved(d)
	default: // another operation came between and has ended
		v.fenceAgain(d)
	}
}

func (v *iview) fenceAgain(d *draft) {
	v.stage(d, pool.HealFencing, 0)
	d.newOperation(d.machine(v.m), pool.OpFence, pool.OpParams{Instance: v.in.ID, Why: messageOf(v.in.Cause)}, byHealing)
}

// unproved: nobody can say that the machine is off. What keeps no data may run
// twice, all else waits.
func (v *iview) unproved(d *draft) {
	if v.returned(d) {
		return
	}
	if !v.rev.Recipe.Stateful && v.choice != nil {
		v.replace(d)
		return
	}
	evidence := "it has no BMC that the appliance can use"
	if v.op != nil && v.op.Cause != nil {
		evidence = v.op.Cause.Message + " " + v.op.Cause.Evidence
	}
	v.wait(d, cause("heal.unproved", fmt.Sprintf("%s was lost, and nothing proves that it is off: %s is not started elsewhere.", v.m.Name, v.title()), evidence,
		fmt.Sprintf("Make its BMC answer: it is asked again every minute. Or switch it off yourself and say so: appliance service recover %s --machine-off", v.svc.Name),
		string(pool.HealFencing), v.now))
}

// decide chooses the remedy for an instance whose machine is off by proof. A
// stateless one takes another machine, else the same chassis; a stateful one
// the same chassis, then a replica, then a verified backup, then a person.
func (v *iview) decide(d *draft) {
	h := v.in.Heal
	again := controlled(*v.m) && !slices.Contains(h.Tried, string(pool.HealPowerOn))
	switch {
	case h.WithoutData && v.choice != nil, !v.rev.Recipe.Stateful && v.choice != nil:
		v.replace(d)
	case again && !h.WithoutData:
		v.powerOn(d)
	case h.WithoutData || !v.rev.Recipe.Stateful:
		v.wait(d, cause("pool.empty", fmt.Sprintf("No machine is free to take the place of %s for %s.", v.m.Name, v.title()), "template "+v.rev.Template,
			"Add machines, or release some: it takes the first that fits.", string(pool.HealReplacing), v.now))
	case v.replica != nil:
		v.promote(d)
	case v.backup != "" && v.choice != nil:
		v.stage(d, pool.HealReplacing, 0).Backup = v.backup
		v.replace(d)
	default:
		v.wait(d, v.noSource())
	}
}

// noSource says why a stateful instance waits.
func (v *iview) noSource() *pool.Cause {
	what := "it has neither a replica nor a verified backup"
	if v.backup != "" {
		what = "no machine is free to restore its backup on"
	}
	return cause("heal.nodata", fmt.Sprintf("%s keeps data, and %s: it waits for %s or for you.", v.title(), what, v.m.Name),
		"tried: "+strings.Join(v.in.Heal.Tried, ", ")+"; the data is on the disks of "+v.m.Name,
		fmt.Sprintf("Repair %s and switch it on: the service goes on by itself. Or start it empty on another machine: appliance service recover %s --without-data", v.m.Name, v.svc.Name),
		string(pool.HealWaiting), v.now)
}

// wait makes the instance wait, and says so once.
func (v *iview) wait(d *draft, c *pool.Cause) {
	h := v.stage(d, pool.HealWaiting, 0)
	if !h.Proof {
		h.Deadline = v.now.Add(fenceAgain)
	}
	in := v.in
	if in.Cause == nil || in.Cause.Code != c.Code {
		v.tell(d, "instance.waiting", pool.Problem, "%s", c.Message).Cause = c
	}
	in.Cause = c
	v.away(d, c)
}

// waiting looks whether what the instance waits for has come.
func (v *iview) waiting(dec *decision) {
	d, h := &dec.draft, v.in.Heal
	switch {
	case v.returned(d):
	case v.op != nil && v.op.Status.Open():
		dec.wake = v.op.Deadline
	case !h.Proof && controlled(*v.m) && !h.Deadline.IsZero() && !v.now.Before(h.Deadline):
		v.fenceAgain(d)
	case !h.Proof && v.rev.Recipe.Stateful:
		dec.wake = earliest(h.Deadline, v.now.Add(time.Minute))
	case v.choice != nil && (!v.rev.Recipe.Stateful || h.WithoutData || v.backup != ""), v.replica != nil && v.rev.Recipe.Stateful:
		v.decide(d)
	default:
		dec.wake = earliest(h.Deadline, v.now.Add(lookAgain))
	}
}

// returned goes on with a machine whose agent is back before anybody else has
// its work. One that was fenced was started by somebody: it is let start.
func (v *iview) returned(d *draft) bool {
	l := v.live
	if l.mode != pool.Installed || l.epoch != v.m.Epoch || v.m.Instance != v.in.ID || v.m.Phase != pool.Active {
		return false
	}
	if !l.trusted && !v.m.Conditions.Is(pool.CondFenced) {
		return false
	}
	d.condition(v.m, pool.CondFenced, "", "")
	v.tell(d, "machine.returned", pool.Info, "%s is back; nobody else had its work.", v.m.Name).Machine = v.m.ID
	v.relaunch(d, cause("machine.returned", v.m.Name+" was away and is back.", "", "None is needed.", "", v.now), l.bootID == v.in.BootID)
	return true
}

// powerOn lets the same chassis start again: first it is no longer fenced,
// then it is switched on.
func (v *iview) powerOn(d *draft) {
	h := v.stage(d, pool.HealPowerOn, v.returnTime())
	h.Tried = append(slices.Clone(h.Tried), string(pool.HealPowerOn))
	h.Proof = false
	d.condition(v.m, pool.CondFenced, "", "")
	d.newOperation(d.machine(v.m), pool.OpPower, pool.OpParams{Power: pool.DoPowerOn, Instance: v.in.ID}, byHealing)
	v.tell(d, "instance.power-on", pool.Info, "%s: %s is switched on again.", v.title(), v.m.Name).Machine = v.m.ID
}

func (v *iview) returnTime() time.Duration { return cmp.Or(v.patience, returnTime) }

// poweringOn waits for the agent of the chassis that was switched on again.
// What does not come back is fenced once more: nobody knows what it does.
func (v *iview) poweringOn(dec *decision) {
	d, h, l := &dec.draft, v.in.Heal, v.live
	over := !v.now.Before(h.Deadline)
	failed := v.op != nil && v.op.Kind == pool.OpPower && v.op.Status == pool.Failed
	switch {
	case l.mode == pool.Installed && l.trusted && l.epoch == v.m.Epoch && l.bootID != v.in.BootID:
		v.relaunch(d, cause("machine.restarted", v.m.Name+" was lost and switched on again.", "", "None is needed.", "", v.now), false)
	case failed || over && (v.op == nil || !v.op.Status.Open()):
		v.tell(d, "instance.power-on", pool.Warning, "%s: %s did not come back.", v.title(), v.m.Name).Machine = v.m.ID
		v.fenceAgain(d)
	default:
		dec.wake = h.Deadline
		if over {
			dec.wake = v.op.Deadline
		}
	}
}

// promote has a running instance take over what the lost one was.
func (v *iview) promote(d *draft) {
	r := v.replica
	v.stage(d, pool.HealPromoting, 0).Replica = r.in.ID
	v.nextRound(d)
	v.steps = d.newSteps(v.in.ID, r.m.ID, r.m.Epoch, 1, v.now.Add(time.Hour), []string{stepPromote}, v.spec)
	s := v.steps[0]
	s.Task.Params = encode(pool.EventParams{Instance: instanceInfo(&r.in, v.svc, v.rev, &r.m), Event: commandEvent + promoteCommand, Args: []string{v.m.Address.String()}})
	d.begin(s)
	v.tellStep(d, s, "instance.promoting", pool.Warning, "%s/%d on %s is told to take over from %s.", v.svc.Name, r.in.Number, r.m.Name, v.title())
}

// promoting looks at the promotion.
func (v *iview) promoting(dec *decision) {
	s := v.current()
	switch {
	case s == nil || s.Status != pool.StepRunning:
		v.wait(&dec.draft, v.noSource())
	case !v.now.Before(s.Deadline):
		v.promoted(&dec.draft, s, pool.TaskOutcome{State: "failed", Cause: overdue(s, *v.m, v.now)})
	default:
		dec.wake = s.Deadline
	}
}

// promoted takes how a promotion ended. With it the lost machine's data is no
// longer what the service has: another machine may become the new replica.
func (v *iview) promoted(d *draft, s *pool.Step, o pool.TaskOutcome) {
	if o.State != "done" {
		c := taskCause(o, s, *v.m, v.now)
		d.end(s, pool.StepFailed, c)
		v.tellStep(d, s, "step.failed", pool.Problem, "%s: the promotion of a replica failed.", v.title()).Cause = c
		v.wait(d, cause("heal.promote", fmt.Sprintf("The replica of %s could not take over.", v.title()), c.Message+" "+c.Evidence,
			fmt.Sprintf("Look at the replica's output. Then repair %s, or: appliance service recover %s", v.m.Name, v.svc.Name), s.Name, v.now))
		return
	}
	s.Result = o.Result
	d.end(s, pool.StepDone, nil)
	v.tellStep(d, s, "instance.promoted", pool.Warning, "A replica has taken over from %s.", v.title())
	v.replace(d)
	svc := d.service(v.svc)
	svc.Phase, svc.Cause = pool.ServiceRunning, nil
}

// replace gives the instance up its machine, and the machine its owner: its
// disks stay protected. Another machine is claimed like any other's.
func (v *iview) replace(d *draft) {
	lost, h := v.m, v.in.Heal
	v.disown(d)
	in := v.nextRound(d)
	v.stage(d, pool.HealReplacing, 0)
	in.Machine, in.BootID, in.Endpoint, in.Phase, in.Step, in.Storage = "", "", "", pool.InstanceWaiting, stepAcquire, nil
	s := d.newSteps(in.ID, "", 0, 1, v.now.Add(time.Hour), []string{stepAcquire}, func(string) spec {
		return spec{waits: true, idem: true, timeout: acquireTime, tries: 1}
	})[0]
	s.Status, s.StartedAt = pool.StepRunning, v.now
	v.steps = []*pool.Step{s}
	// It waits for nobody any more: what it waited for is no longer the cause.
	in.Cause = cause("machine.lost", fmt.Sprintf("%s was lost; %s takes another machine.", lost.Name, v.title()), messageOf(in.Cause),
		"None is needed: it comes up there.", string(pool.HealReplacing), v.now)
	v.away(d, in.Cause)
	v.tell(d, "instance.replacing", pool.Warning, "%s leaves %s, which was lost, and takes another machine (proof of power off: %t).",
		v.title(), lost.Name, h.Proof).Machine = lost.ID
}

// disown takes the lost machine from the instance: its key is revoked, its
// epoch rises, and what is on its disks is protected until a person releases
// it. A virtual machine that is proved to be off and holds no data is removed.
func (v *iview) disown(d *draft) {
	m, op := v.m, ""
	if h := v.in.Heal; m.Driver == pool.DriverVM && !v.rev.Recipe.Stateful && h != nil && h.Proof && (v.op == nil || !v.op.Status.Open()) {
		release(d, m, v.wiped, true, "it was lost while it ran "+v.title(), byHealing)
		return
	}
	if v.op != nil {
		op = v.op.ID
	}
	why := "it holds the data of " + v.title() + ", and was lost"
	d.newOwner(m, "", op, v.wiped)
	m.Key, m.Image = "", ""
	d.secret(bootSecret(m.ID), pool.Secret{})
	d.condition(m, pool.CondFenced, "", "")
	d.condition(m, pool.CondDirty, pool.True, why)
	d.condition(m, pool.CondProtected, pool.True, why)
	d.condition(m, pool.CondHold, pool.True, "it was lost while it ran "+v.title()+"; find out why before it is used again")
	d.phase(m, pool.Enrolled, "lost")
}

// another gives back a machine whose deployment failed for a recovery, and
// takes another one, three times at most.
func (v *iview) another(d *draft, c *pool.Cause) bool {
	h := v.in.Heal
	if h == nil || v.m == nil || v.m.Phase != pool.Reserved || v.op == nil || v.op.Status.Open() || v.in.Failures >= 3 {
		return false
	}
	m := v.m
	release(d, m, v.wiped, true, "its deployment failed", byHealing)
	d.condition(m, pool.CondHold, pool.True, "its deployment failed: "+messageOf(c))
	in := v.nextRound(d)
	in.Failures++
	in.Machine, in.Phase, in.Step, in.Storage = "", pool.InstanceWaiting, stepAcquire, nil
	s := d.newSteps(in.ID, "", 0, 1, v.now.Add(time.Hour), []string{stepAcquire}, func(string) spec {
		return spec{waits: true, idem: true, timeout: acquireTime, tries: 1}
	})[0]
	s.Status, s.StartedAt = pool.StepRunning, v.now
	v.tell(d, "instance.replacing", pool.Warning, "%s: the deployment of %s failed; another machine is taken.", v.title(), m.Name).Cause = c
	return true
}

// healed says how long a recovery took.
func (v *iview) healed(d *draft) {
	if h := v.in.Heal; h != nil {
		v.tell(d, "instance.healed", pool.Info, "%s serves again on %s, %s after the last word of its lost machine.", v.title(), v.m.Name, pool.Span(v.now.Sub(h.At)))
	}
}
