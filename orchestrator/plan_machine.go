package orchestrator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"appliance/pool"
)

// view is all that the planner may look at for one machine. Its rows are the
// planner's own copies, which it changes and registers in a draft.
type view struct {
	now     time.Time
	m       *pool.Machine
	op      *pool.Operation // the open one
	last    *pool.Operation // the last one that ended
	steps   []*pool.Step    // of op, by Seq and Attempt
	wiped   map[string]bool
	image   *pool.Image // that op deploys
	live    presence
	settled time.Time // from when on silence means something
	effect  *effect   // how the appliance's own step ended
	rules   []AcceptRule
	sshKeys []string // of deployments that name none
	mint    func(prefix string) string
}

// decision is what the planner answers: write the draft, or carry out run,
// and look again at wake at the latest (zero: when something happens).
type decision struct {
	draft draft
	run   *pool.Step
	wake  time.Time
}

// effect is how a step that the appliance carried out ended.
type effect struct {
	result pool.JobResult
	err    error
}

// planMachine decides what comes next for a machine. It is pure.
func planMachine(v *view) decision {
	dec := decision{draft: draft{now: v.now, mint: v.mint}}
	switch {
	case v.op == nil:
		v.idle(&dec)
	case v.op.Status == pool.Queued:
		v.start(&dec)
	default:
		v.running(&dec)
	}
	return dec
}

// idle decides what a machine without an operation does of itself: discovered
// ones are let in by a rule, enrolled ones go on to ready.
func (v *view) idle(dec *decision) {
	d, m := &dec.draft, v.m
	if m.Phase == pool.Discovered {
		if r, ok := matchRule(v.rules, m, v.live); ok && v.last == nil {
			accept(d, m, pool.OpParams{Erase: r.Erase}, "rule "+r.Name, "", r.Tags, v.wiped)
		}
		return
	}
	c := m.Conditions
	if m.Phase != pool.Enrolled || c.Is(pool.CondBroken) || c.Is(pool.CondHold) || c.Is(pool.CondProtected) ||
		v.last == nil || v.last.Status != pool.Succeeded {
		return
	}
	switch v.last.Kind {
	case pool.OpEnrol:
		if !m.Driver.Erases() {
			v.ready(d)
			return
		}
		d.newOperation(m, pool.OpInspect, pool.OpParams{Erase: v.last.Params.Erase, Disks: v.last.Params.Disks}, "policy")
	case pool.OpPower, pool.OpRescue:
		d.newOperation(m, pool.OpInspect, pool.OpParams{}, "policy")
	case pool.OpInspect, pool.OpWipe, pool.OpRelease, pool.OpDeploy:
		v.towardsReady(d)
	case pool.OpAdopt, pool.OpTest, pool.OpConfigure, pool.OpUpdate, pool.OpFence, pool.OpRetire:
	}
}

// towardsReady wipes an enrolled machine that is dirty and not protected.
func (v *view) towardsReady(d *draft) {
	if v.ready(d) || !v.m.Driver.Erases() {
		return
	}
	disks := serials(pool.Unwiped(*v.m, func(s string) bool { return v.wiped[s] }))
	again := v.last.Kind == pool.OpWipe && !slices.ContainsFunc(disks, func(s string) bool { return !slices.Contains(v.last.Params.Disks, s) })
	if len(disks) > 0 && !again {
		// What was released is erased with all it holds; else only what a rule
		// or a person allowed, and what was seen empty and still is.
		erase := v.last.Params.Erase || v.last.Kind == pool.OpRelease && v.last.Params.Wipe
		d.newOperation(v.m, pool.OpWipe, pool.OpParams{Disks: disks, Erase: erase}, "policy")
	}
}

func serials(disks []pool.Disk) []string {
	out := make([]string, 0, len(disks))
	for _, d := range disks {
		out = append(out, d.Serial)
	}
	return out
}

// ready moves an enrolled machine to ready if the policy holds: inspected,
// every disk wiped, nobody holds or protects it.
func (v *view) ready(d *draft) bool {
	m, c := v.m, v.m.Conditions
	if m.Phase != pool.Enrolled || m.Facts == nil || c.Is(pool.CondDirty) || c.Is(pool.CondHold) || c.Is(pool.CondProtected) || c.Is(pool.CondBroken) ||
		m.Driver.Erases() && len(pool.Unwiped(*m, func(s string) bool { return v.wiped[s] })) > 0 {
		return false
	}
	why := "inspected, and every disk has a wipe record"
	if !m.Driver.Erases() {
		why = "reached, and nothing of an earlier service is on it"
	}
	d.phase(m, pool.Ready, why)
	return true
}

// helloTime is how long an agent may take from its first word to its proof.
const helloTime = 5 * time.Second

// start turns a queued operation into steps. While the appliance has just
// started, an agent that was not heard of may still be there: it waits.
func (v *view) start(dec *decision) {
	d, op := &dec.draft, v.op
	switch {
	case !op.CancelAsked.IsZero():
		v.cancel(d)
		return
	case !v.now.Before(op.Deadline):
		v.fail(d, opOverdue(op, *v.m, v.now))
		return
	case op.Kind == pool.OpFence: // nobody has to be heard first
	case v.m.Driver.Or() != pool.DriverSSH && !v.live.trusted && v.now.Before(v.settled):
		dec.wake = v.settled
		return
	case v.live.mode != "" && !v.live.trusted && v.now.Before(v.live.first.Add(helloTime)):
		dec.wake = v.live.first.Add(helloTime) // it is saying hello just now
		return
	}
	names := opSteps(*op, *v.m, v.live)
	total := queueTime
	for _, n := range names {
		sp := opSpec(n)
		total += sp.timeout * time.Duration(sp.tries)
	}
	op = d.operation(op)
	op.Status, op.StartedAt, op.Deadline = pool.Running, v.now, v.now.Add(total)
	v.steps = d.newSteps(op.ID, v.m.ID, v.m.Epoch, 1, op.Deadline, names, opSpec)
	v.tell(d, "operation.started", pool.Info, "%s of %s started.", op.Kind, v.m.Name)
	v.advance(d)
}

// running looks at the current step of a running operation.
func (v *view) running(dec *decision) {
	d, cur := &dec.draft, current(v.steps)
	switch {
	case cur == nil:
		v.succeed(d)
	case !v.op.CancelAsked.IsZero() && mayStop(cur):
		v.cancel(d)
	case cur.Status == pool.StepFailed || cur.Status == pool.StepCancelled:
		v.fail(d, cur.Cause)
	case !v.now.Before(v.op.Deadline):
		v.fail(d, opOverdue(v.op, *v.m, v.now))
	case cur.Status == pool.StepPending && v.now.Before(cur.NotBefore):
		dec.wake = cur.NotBefore
	case cur.Status == pool.StepPending:
		v.advance(d)
	case cur.Status == pool.StepInterrupted:
		dec.wake = v.op.Deadline
	default:
		v.look(dec, cur)
	}
}

// mayStop says whether an operation can be cancelled at this step now: what
// was sent to a BMC or a firmware is seen through to its end.
func mayStop(s *pool.Step) bool {
	if s.Status != pool.StepRunning || !opSpec(s.Name).firm {
		return true
	}
	return s.Executor == pool.ByAgent && s.BootID == "" // nobody has it yet
}

// look decides about a running step.
func (v *view) look(dec *decision, s *pool.Step) {
	d, sp := &dec.draft, opSpec(s.Name)
	switch {
	case sp.waits:
		if v.seen(s) {
			v.done(d, s, nil)
			return
		}
	case s.Executor == pool.ByAppliance:
		if v.effect != nil {
			if sp.driver {
				v.driverEnded(d, s, *v.effect)
			} else {
				v.effectEnded(d, s, *v.effect)
			}
			return
		}
	case v.rebooted(s):
		v.done(d, s, nil)
		return
	case s.BootID != "" && s.Mode == pool.InRAM && v.live.mode != "" && v.live.bootID != s.BootID:
		v.interrupted(d, s)
		return
	}
	if !v.now.Before(s.Deadline) {
		if s.Name == stepRescue {
			v.done(d, s, nil)
			return
		}
		v.again(d, s, overdue(s, *v.m, v.now))
		return
	}
	dec.wake = s.Deadline
	if s.Executor == pool.ByAppliance && !sp.waits {
		dec.run = s
	}
}

// seen says whether what a waiting step waits for is there.
func (v *view) seen(s *pool.Step) bool {
	l := v.live
	switch s.Name {
	case stepTrust, stepStandby, stepSwitchOn:
		for _, o := range v.steps { // not the agent that was told to reboot
			if o.Name == stepRestart && o.BootID == l.bootID {
				return false
			}
		}
		return l.mode == pool.InRAM && l.trusted
	case stepSystem:
		return l.mode == pool.Installed && l.trusted && l.epoch == v.m.Epoch
	}
	return false
}

// rebooted says whether a reboot has shown: by another boot ID than the one
// it was handed to, or, after an image was written, by the new system itself.
// A shutdown shows nothing.
func (v *view) rebooted(s *pool.Step) bool {
	l := v.live
	if s.Name == stepReboot && v.op.Kind == pool.OpDeploy && l.mode == pool.Installed && l.trusted && l.epoch == v.m.Epoch {
		return true
	}
	return (s.Name == stepReboot || s.Name == stepRestart) && s.BootID != "" && l.mode != "" && l.bootID != s.BootID
}

// driverEnded takes the end of a step that the machine's driver carried out.
func (v *view) driverEnded(d *draft, s *pool.Step, e effect) {
	if e.err == nil {
		s.Output = e.result.Output
		v.done(d, s, encode(e.result))
		return
	}
	c, permanent := driverCause(e.err, s, *v.m, v.now)
	if permanent {
		v.stop(d, s, c)
		return
	}
	v.again(d, s, c)
}

// effectEnded takes the end of a step that the appliance carried out.
func (v *view) effectEnded(d *draft, s *pool.Step, e effect) {
	err := e.err
	if err == nil {
		d.condition(v.m, pool.CondBMC, "ok", "")
		var result json.RawMessage
		if e.result.GUID != "" {
			result = encode(e.result)
		}
		v.done(d, s, result)
		return
	}
	code := codeOf(err)
	c := powerCause(err, s, *v.m, v.now)
	switch code {
	case codeUnsupported:
		if s.Name == stepBootDevice || s.Name == stepBootDisk {
			s.Output = "the BMC cannot set a boot device: the firmware's own order holds"
			v.done(d, s, nil)
			return
		}
		v.stop(d, s, c)
	case codeAuth:
		d.condition(v.m, pool.CondBMC, "auth_failed", "it refuses the appliance's user")
		v.stop(d, s, c)
	case codeIdentity: // a person finds out: trying again might switch another machine
		d.condition(v.m, pool.CondBMC, "unreachable", "another BMC answers at its address")
		v.stop(d, s, c)
	case codeUnreachable:
		d.condition(v.m, pool.CondBMC, "unreachable", "it did not answer for step "+s.Name)
		wait := backoff(s.Attempt)
		if v.now.Add(wait).Before(s.Deadline) {
			v.add(d.newTry(s, pool.StepFailed, c, wait, true))
			v.tellStep(d, s, "step.retry", pool.Warning, "%s: the BMC does not answer; %s is tried again in %s.", v.m.Name, s.Name, wait)
			return
		}
		v.stop(d, s, c)
	default:
		v.again(d, s, c)
	}
}

// again tries a failed step once more, or fails the operation.
func (v *view) again(d *draft, s *pool.Step, c *pool.Cause) {
	if s.Attempt >= s.Tries {
		v.stop(d, s, c)
		return
	}
	wait := backoff(s.Attempt)
	v.add(d.newTry(s, pool.StepFailed, c, wait, false))
	v.tellStep(d, s, "step.retry", pool.Warning, "%s: %s failed and is tried again in %s.", v.m.Name, s.Name, wait).Cause = c
}

// stop ends a step as failed, and the operation with it.
func (v *view) stop(d *draft, s *pool.Step, c *pool.Cause) {
	d.end(s, pool.StepFailed, c)
	v.tellStep(d, s, "step.failed", pool.Problem, "%s: %s failed.", v.m.Name, s.Name).Cause = c
	v.fail(d, c)
	v.backToPool(d, s)
}

// interrupted runs a step again that may, and asks a person about the others.
func (v *view) interrupted(d *draft, s *pool.Step) {
	c := undecided(s, *v.m, v.now)
	if s.Idempotent {
		n := d.newTry(s, pool.StepInterrupted, c, 0, false)
		n.Tries++ // it did not fail
		v.add(n)
		v.tellStep(d, s, "step.interrupted", pool.Warning, "%s: %s was cut off by a restart and runs again.", v.m.Name, s.Name)
		v.advance(d)
		return
	}
	d.end(s, pool.StepInterrupted, c)
	op := d.operation(v.op)
	op.Status, op.Waiting, op.Cause = pool.Waiting, pool.WaitOperator, c
	v.tellStep(d, s, "step.interrupted", pool.Problem, "%s: %s was cut off; a person decides.", v.m.Name, s.Name).Cause = c
}

// add puts a new try among the view's steps.
func (v *view) add(s *pool.Step) {
	v.steps = append(v.steps, s)
	slices.SortStableFunc(v.steps, func(a, b *pool.Step) int {
		return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Attempt, b.Attempt))
	})
}

// advance begins the current step if it is due, or ends the operation.
func (v *view) advance(d *draft) {
	s := current(v.steps)
	if s == nil {
		v.succeed(d)
		return
	}
	if s.Status != pool.StepPending || v.now.Before(s.NotBefore) {
		return
	}
	if s.Name == stepWipe && v.unseen() {
		if facts := find(v.steps, stepFacts); facts != nil {
			s = d.newTry(facts, facts.Status, facts.Cause, 0, false)
			s.Tries++
			v.add(s)
		}
	}
	if c := v.params(d, s); c != nil {
		v.stop(d, s, c)
		return
	}
	d.begin(s)
	op, sp := d.operation(v.op), opSpec(s.Name)
	op.Step, op.Attempt, op.Waiting, op.Heartbeat, op.Status = s.Name, s.Attempt, sp.waiting, v.now, pool.Running
	if sp.waits {
		op.Status = pool.Waiting
	}
	if s.Name == stepSwitchOn {
		v.tellStep(d, s, "operation.waiting", pool.Warning, "Switch on machine %s: it has no BMC and no agent answers.", v.m.Name)
		return
	}
	v.tellStep(d, s, "step.started", pool.Info, "%s: %s started.", v.m.Name, s.Name)
}

// unseen says that it is too long ago that the disks were looked at: the
// appliance was away, or a try took long. Then they are looked at again.
func (v *view) unseen() bool { return v.m.Facts == nil || v.now.Sub(v.m.Facts.At) > pool.WipeFresh }

// params completes the task of a step that is about to begin. The cause says
// why it cannot.
func (v *view) params(d *draft, s *pool.Step) *pool.Cause {
	switch s.Name {
	case stepBMCUser:
		if s.Attempt == 1 {
			d.secret(pool.BMCSecret(v.m.ID), pool.NewSecret(v.mint("password")))
		}
		s.Task.Params = encode(pool.BMCUserParams{User: bmcUser})
	case stepWipe:
		if v.m.Conditions.Is(pool.CondProtected) {
			return cause("disk.protected", fmt.Sprintf("%s is not wiped: %s.", v.m.Name, v.m.Conditions[pool.CondProtected].Reason),
				"found by the inventory just before the wipe", "Look at the disk. To erase it, release the machine and name the disk's serial.", s.Name, v.now)
		}
		s.Task.Params = encode(pool.WipeParams{Serials: v.op.Params.Disks})
	case stepImage:
		return v.imageParams(s)
	}
	return nil
}

// bmcUser is the name of the appliance's own user on each BMC.
const bmcUser = "appliance"

func (v *view) imageParams(s *pool.Step) *pool.Cause {
	p := v.op.Params
	if v.image == nil {
		return cause("image.missing", fmt.Sprintf("Image %s is not in the library.", p.Image), "", "Import it, then retry.", s.Name, v.now)
	}
	if v.m.Facts == nil {
		return cause("disk.none", fmt.Sprintf("%s was never inventoried.", v.m.Name), "", "Inspect it, then retry.", s.Name, v.now)
	}
	if is, wants := v.m.Facts.Arch, v.image.Arch; is != "" && wants != "" && is != wants {
		return cause("image.arch", fmt.Sprintf("Image %s is for %s, and %s is %s.", p.Image, wants, v.m.Name, is), "",
			"Release the machine, and say arch: "+string(wants)+" in the template, so that only such machines are taken.", s.Name, v.now)
	}
	hint := p.Disk
	hint.MinSize = max(hint.MinSize, uint64(max(v.image.Size, 0)))
	disks := slices.DeleteFunc(slices.Clone(v.m.Facts.Disks), func(d pool.Disk) bool { return !slices.Contains(v.m.Owned, d.Serial) })
	disk, err := hint.Choose(disks)
	if err != nil {
		return cause("disk.choice", fmt.Sprintf("No disk of %s can be chosen for image %s.", v.m.Name, p.Image), err.Error(),
			"Name the disk by serial or by-id in the template's target, then retry. A disk that was put in after the machine was claimed is not written to.", s.Name, v.now)
	}
	host, keys := p.Hostname, p.SSHKeys
	if host == "" {
		host = v.m.Name
	}
	if len(keys) == 0 {
		keys = v.sshKeys
	}
	// The disk is named: another one that was plugged in since the inventory,
	// with what it holds, must not be chosen on the machine.
	s.Task.Params = encode(pool.ImageParams{Image: p.Image, Digest: v.image.Digest, Disk: pool.DiskHint{Serial: disk.Serial}, Machine: v.m.ID,
		Hostname: host, SSHKeys: keys, Epoch: v.m.Epoch, Files: p.Extra})
	return nil
}

// encode writes a value that always can be written.
func encode(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain structs of pool
	}
	return b
}

func (v *view) tell(d *draft, kind string, sev pool.Severity, format string, args ...any) *pool.Event {
	e := d.tellMachine(v.m, kind, sev, format, args...)
	e.Operation, e.By = v.op.ID, v.op.By
	return e
}

func (v *view) tellStep(d *draft, s *pool.Step, kind string, sev pool.Severity, format string, args ...any) *pool.Event {
	e := v.tell(d, kind, sev, format, args...)
	e.Step = s.Name
	return e
}
