package orchestrator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"appliance/pool"
)

// result takes what an agent said of the step it was given.
func (v *view) result(d *draft, s *pool.Step, o pool.TaskOutcome) {
	s.Output = o.Output
	switch o.State {
	case "done":
		v.done(d, s, o.Result)
	case "interrupted":
		if s.Name == stepReboot || s.Name == stepRestart {
			v.done(d, s, nil) // it was cut off by what it is to do
			return
		}
		v.interrupted(d, s)
	default:
		v.again(d, s, taskCause(o, s, *v.m, v.now))
	}
}

// done ends a step well: what it brought is applied, and the next one begins.
func (v *view) done(d *draft, s *pool.Step, result json.RawMessage) {
	if c := v.apply(d, s, result); c != nil {
		v.again(d, s, c)
		return
	}
	s.Result = result
	d.end(s, pool.StepDone, nil)
	v.tellStep(d, s, "step.done", pool.Info, "%s: %s is done.", v.m.Name, s.Name)
	v.advance(d)
}

// apply brings a machine's row in line with what a step did.
func (v *view) apply(d *draft, s *pool.Step, result json.RawMessage) *pool.Cause {
	m := v.m
	switch s.Name {
	case stepTrust:
		d.phase(m, pool.Enrolled, "it was accepted by "+m.AcceptedBy+" and its agent has its certificate")
	case stepBMCUser:
		return v.applyBMCUser(d, s, result)
	case stepBMCCheck:
		if m.BMC != nil {
			b := *m.BMC
			b.User = bmcUser
			var r pool.JobResult
			if len(result) > 0 && json.Unmarshal(result, &r) == nil {
				b.GUID = cmp.Or(b.GUID, r.GUID)
			}
			d.machine(m).BMC = &b
		}
	case stepConnect, stepPush, stepClean, stepDefine, stepStart, stepUndefine:
		return v.applyDriver(d, s, result)
	case stepFacts:
		return v.applyFacts(d, s, result)
	case stepWipe:
		return v.applyWipe(d, s, result)
	case stepImage:
		d.machine(m).Image = v.op.Params.Image
	case stepReboot, stepRestart:
		d.condition(m, pool.CondAgent, "booting", "")
	case stepPowerOff, stepPowerSoft, stepShutdown:
		d.condition(m, pool.CondAgent, "none", "")
		if s.Name != stepShutdown {
			d.condition(m, pool.CondPower, string(pool.PowerOff), "")
		}
	case stepProof:
		d.condition(m, pool.CondFenced, pool.True, "its BMC, told by its GUID and its own password, said twice that it is off")
	case stepPowerOn:
		d.condition(m, pool.CondFenced, "", "") // a person let it start
		d.condition(m, pool.CondPower, string(pool.PowerOn), "")
		d.condition(m, pool.CondAgent, "booting", "")
	}
	return nil
}

// applyDriver takes what a driver's step brought.
func (v *view) applyDriver(d *draft, s *pool.Step, result json.RawMessage) *pool.Cause {
	var r pool.JobResult
	if err := json.Unmarshal(result, &r); err != nil {
		return v.badResult(s, err.Error())
	}
	switch s.Name {
	case stepConnect:
		return v.applyConnect(d, r)
	case stepClean:
		d.condition(v.m, pool.CondDirty, "", "")
		d.condition(v.m, pool.CondProtected, "", "")
		d.condition(v.m, pool.CondAgent, "none", "")
	}
	return nil
}

func (v *view) badResult(s *pool.Step, why string) *pool.Cause {
	return cause("task.result", fmt.Sprintf("The agent on %s did %s, but its answer makes no sense.", v.m.Name, s.Name), why,
		"Retry; if it happens again, the agent and the appliance do not fit: boot the machine anew.", s.Name, v.now)
}

func (v *view) applyBMCUser(d *draft, s *pool.Step, result json.RawMessage) *pool.Cause {
	var r pool.BMCUserResult
	if err := json.Unmarshal(result, &r); err != nil {
		return v.badResult(s, err.Error())
	}
	m := d.machine(v.m)
	if r.None {
		m.BMC = nil
		d.condition(m, pool.CondBMC, "none", "no BMC answers in-band")
		if check := find(v.steps, stepBMCCheck); check != nil {
			check.Output = "the machine has no BMC"
			d.end(check, pool.StepDone, nil)
		}
		return nil
	}
	b := pool.BMC{UserID: r.UserID}
	if m.BMC != nil {
		b = *m.BMC
		b.UserID = r.UserID
	}
	if r.Facts != nil {
		b.Address, b.MAC, b.GUID = r.Facts.Address, r.Facts.MAC, cmp.Or(r.Facts.GUID, b.GUID)
	}
	b.User = "" // until it was seen to work from here
	if !b.Address.IsValid() {
		return v.badResult(s, "the BMC told no address")
	}
	m.BMC = &b
	return nil
}

// allowed says which disks with content the operation may erase. A wipe that
// was asked for when its disks were empty may not erase what they hold now.
func (v *view) allowed(serial string) bool {
	p := v.op.Params
	switch v.op.Kind {
	case pool.OpWipe:
		return p.Erase && slices.Contains(p.Disks, serial)
	case pool.OpEnrol, pool.OpInspect:
		return p.Erase && (len(p.Disks) == 0 || slices.Contains(p.Disks, serial))
	case pool.OpAdopt, pool.OpTest, pool.OpConfigure, pool.OpDeploy, pool.OpRelease, pool.OpRescue,
		pool.OpUpdate, pool.OpPower, pool.OpFence, pool.OpRetire:
	}
	return false
}

// setFacts records an inventory. It was taken now: the appliance's clock
// counts, not the machine's.
func (v *view) setFacts(d *draft, f pool.Facts) {
	m := d.machine(v.m)
	f.At = v.now
	setFacts(m, &f)
	v.protect(d)
}

// protect: a machine with an owner, or whose disks are all proved empty, is
// not looked at.
func (v *view) protect(d *draft) {
	if v.m.Phase == pool.Enrolled || v.m.Phase == pool.Ready || v.m.Phase == pool.Discovered {
		d.protect(v.m, v.wiped, v.allowed)
	}
}

// setFacts takes over what follows from an inventory.
func setFacts(m *pool.Machine, f *pool.Facts) {
	m.Facts = f
	if f.Firmware != "" {
		m.Firmware = f.Firmware
	}
	if f.Arch != "" {
		m.Arch = f.Arch
	}
	if f.UUID != "" {
		m.UUID = f.UUID
	}
	if f.BMC != nil && f.BMC.Address.IsValid() {
		b := pool.BMC{}
		if m.BMC != nil {
			b = *m.BMC
		}
		b.Address, b.MAC, b.GUID = f.BMC.Address, f.BMC.MAC, cmp.Or(f.BMC.GUID, b.GUID)
		m.BMC = &b
	}
}

func (v *view) applyFacts(d *draft, s *pool.Step, result json.RawMessage) *pool.Cause {
	var f pool.Facts
	if err := json.Unmarshal(result, &f); err != nil {
		return v.badResult(s, err.Error())
	}
	v.setFacts(d, f)
	if v.m.Phase == pool.Ready && v.m.Conditions.Is(pool.CondDirty) {
		d.phase(v.m, pool.Enrolled, "its inventory shows a disk without a wipe record")
	}
	return nil
}

func (v *view) applyWipe(d *draft, s *pool.Step, result json.RawMessage) *pool.Cause {
	var r pool.WipeResult
	if err := json.Unmarshal(result, &r); err != nil {
		return v.badResult(s, err.Error())
	}
	var p pool.WipeParams
	if err := json.Unmarshal(s.Task.Params, &p); err != nil {
		return v.badResult(s, err.Error())
	}
	wiped := maps.Clone(v.wiped) // that one is shared
	v.wiped = wiped
	did := map[string]pool.WipedDisk{}
	for _, w := range r.Wiped {
		did[w.Serial] = w
	}
	for _, serial := range p.Serials {
		w, ok := did[serial]
		if !ok {
			return v.badResult(s, "disk "+serial+" is not among those that were wiped")
		}
		wiped[serial] = true
		d.Wipes = append(d.Wipes, &pool.WipeRecord{Serial: serial, Machine: v.m.ID, Operation: v.op.ID, Method: w.Method, Size: w.Size, At: v.now})
		v.tellStep(d, s, "disk.wiped", pool.Info, "%s: disk %s was wiped (%s).", v.m.Name, serial, w.Method)
	}
	if r.Facts != nil {
		v.setFacts(d, *r.Facts)
	} else {
		v.protect(d)
	}
	return nil
}

// succeed ends an operation well and moves the machine on.
func (v *view) succeed(d *draft) {
	op, m := d.operation(v.op), v.m
	op.Status, op.Waiting, op.Cause, op.EndedAt = pool.Succeeded, pool.WaitNothing, nil, v.now
	v.tell(d, "operation.succeeded", pool.Info, "%s of %s is done.", op.Kind, m.Name)
	d.condition(m, pool.CondBroken, "", "")
	switch op.Kind {
	case pool.OpDeploy:
		why := "its system with image " + op.Params.Image + " reported"
		if m.Driver.Or() == pool.DriverSSH {
			why = "the agent that was put on it reported"
		}
		d.phase(m, pool.Active, why)
		d.condition(m, pool.CondDirty, "", "")
	case pool.OpInspect, pool.OpWipe:
		v.ready(d)
	case pool.OpRelease:
		if m.Driver == pool.DriverVM {
			v.gone(d)
		}
	case pool.OpEnrol, pool.OpAdopt, pool.OpTest, pool.OpConfigure, pool.OpRescue,
		pool.OpUpdate, pool.OpPower, pool.OpFence, pool.OpRetire:
	}
}

// fail ends an operation and moves the machine where the table of the design
// says: ready ones leave the pool at once.
func (v *view) fail(d *draft, c *pool.Cause) {
	if c == nil {
		c = cause("operation.failed", fmt.Sprintf("Operation %s on %s failed.", v.op.Kind, v.m.Name), "", "Retry.", v.op.Step, v.now)
	}
	op, m := d.operation(v.op), v.m
	op.Status, op.Waiting, op.Cause, op.EndedAt = pool.Failed, pool.WaitNothing, c, v.now
	v.drop(d, c)
	v.tell(d, "operation.failed", pool.Problem, "%s of %s failed: %s", op.Kind, m.Name, c.Message).Cause = c
	d.condition(m, pool.CondBroken, pool.True, c.Message)
	switch m.Phase {
	case pool.Ready:
		d.phase(m, pool.Enrolled, "an operation failed, so it leaves the pool")
	case pool.Reserved:
		d.condition(m, pool.CondDirty, pool.True, "a deployment may have written to its disks")
	case pool.Discovered, pool.Enrolled, pool.Active, pool.Retired:
	}
}

// cancel ends an operation on request.
func (v *view) cancel(d *draft) {
	op, m := d.operation(v.op), v.m
	c := cause("operation.cancelled", fmt.Sprintf("Operation %s on %s was cancelled.", op.Kind, m.Name), "", "Retry when it should go on.", op.Step, v.now)
	op.Status, op.Waiting, op.Cause, op.EndedAt = pool.Cancelled, pool.WaitNothing, c, v.now
	v.drop(d, c)
	v.tell(d, "operation.cancelled", pool.Warning, "%s of %s was cancelled.", op.Kind, m.Name)
	if m.Phase == pool.Reserved {
		d.condition(m, pool.CondDirty, pool.True, "a deployment may have written to its disks")
	}
}

// drop ends all open steps of the operation.
func (v *view) drop(d *draft, c *pool.Cause) {
	for _, s := range v.steps {
		if s.Status == pool.StepPending || s.Status == pool.StepRunning || s.Status == pool.StepInterrupted {
			d.end(s, pool.StepCancelled, c)
		}
	}
}
