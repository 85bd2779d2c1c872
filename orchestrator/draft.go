package orchestrator

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"appliance/pool"
)

// draft collects what one transaction is to write. Rows are registered once,
// however often they are touched.
type draft struct {
	pool.Change
	now  time.Time
	mint func(prefix string) string
	// round is that of the instance whose steps are made.
	round int
	// ahead is a key that needs no look before alarm: an agent has its step.
	ahead string
	alarm time.Time
}

func (d *draft) machine(m *pool.Machine) *pool.Machine {
	if !slices.Contains(d.Machines, m) {
		m.UpdatedAt = d.now
		d.Machines = append(d.Machines, m)
	}
	return m
}

func (d *draft) operation(op *pool.Operation) *pool.Operation {
	if !slices.Contains(d.Operations, op) {
		d.Operations = append(d.Operations, op)
	}
	return op
}

func (d *draft) step(s *pool.Step) *pool.Step {
	if !slices.Contains(d.Steps, s) {
		d.Steps = append(d.Steps, s)
	}
	return s
}

func (d *draft) service(s *pool.Service) *pool.Service {
	if !slices.Contains(d.Services, s) {
		s.UpdatedAt = d.now
		d.Services = append(d.Services, s)
	}
	return s
}

func (d *draft) instance(in *pool.Instance) *pool.Instance {
	if !slices.Contains(d.Instances, in) {
		in.UpdatedAt = d.now
		d.Instances = append(d.Instances, in)
	}
	return in
}

// revision records what svc is made of from now on.
func (d *draft) revision(svc pool.Service, by string) {
	d.Revisions = append(d.Revisions, &pool.Revision{Service: svc.Name, Number: svc.Revision, Recipe: svc.Recipe,
		Template: svc.Template, Image: svc.Image, By: by, At: d.now})
}

func (d *draft) secret(name string, s pool.Secret) {
	if d.Secrets == nil {
		d.Secrets = map[string]pool.Secret{}
	}
	d.Secrets[name] = s
}

// tell adds an event; the caller may add to it.
func (d *draft) tell(kind string, sev pool.Severity, format string, args ...any) *pool.Event {
	e := &pool.Event{At: d.now, Type: kind, Severity: sev, Message: fmt.Sprintf(format, args...)}
	d.Events = append(d.Events, e)
	return e
}

// tellMachine adds an event about m.
func (d *draft) tellMachine(m *pool.Machine, kind string, sev pool.Severity, format string, args ...any) *pool.Event {
	e := d.tell(kind, sev, format, args...)
	e.Machine = m.ID
	return e
}

// phase moves m and says so.
func (d *draft) phase(m *pool.Machine, p pool.Phase, why string) {
	if m.Phase == p {
		return
	}
	old := m.Phase
	d.machine(m).Phase = p
	d.tellMachine(m, "machine.phase", pool.Info, "%s is %s now, after %s: %s.", m.Name, p, old, why)
}

// condition sets a condition of m and says so if its value changed.
func (d *draft) condition(m *pool.Machine, t pool.ConditionType, value, reason string) {
	old := m.Conditions[t].Value
	if old == value && (value == "" || m.Conditions[t].Reason == reason) {
		return
	}
	d.machine(m).Conditions = m.Conditions.With(t, value, reason, d.now)
	if old == value {
		return
	}
	sev := pool.Info
	switch t {
	case pool.CondBroken, pool.CondDrift:
		sev = pool.Problem
	case pool.CondBMC, pool.CondAgent, pool.CondHealth:
		if value == "unreachable" || value == "auth_failed" || value == "locked" || value == "lost" || value == "warn" || value == "critical" {
			sev = pool.Warning
		}
	case pool.CondPower, pool.CondHold, pool.CondProtected, pool.CondDirty, pool.CondFenced:
	}
	switch {
	case value == "":
		d.tellMachine(m, "machine.condition", sev, "%s: %s no longer holds.", m.Name, t)
	case reason == "":
		d.tellMachine(m, "machine.condition", sev, "%s: %s is %s.", m.Name, t, value)
	default:
		d.tellMachine(m, "machine.condition", sev, "%s: %s is %s: %s.", m.Name, t, value, reason)
	}
}

// protect sets dirty and protected from what is known of m's disks. allowed
// says which disks a rule or a person allowed to erase.
func (d *draft) protect(m *pool.Machine, wiped map[string]bool, allowed func(serial string) bool) {
	if !m.Driver.Erases() {
		return
	}
	has := func(serial string) bool { return wiped[serial] }
	next := pool.Protect(*m, has, true, d.now)
	dirty := next[pool.CondDirty]
	d.condition(m, pool.CondDirty, dirty.Value, dirty.Reason)
	if dirty.Value == "" {
		d.condition(m, pool.CondProtected, "", "")
		return
	}
	for _, disk := range pool.Unwiped(*m, has) {
		if len(disk.Content) > 0 && !allowed(disk.Serial) {
			d.condition(m, pool.CondProtected, pool.True,
				fmt.Sprintf("disk %s (%s, %s) holds %s", disk.Serial, disk.Name, pool.Bytes(disk.Size), strings.Join(disk.Content, ", ")))
			return
		}
	}
}

// newOwner raises m's epoch and gives it to an instance, or to nobody. What
// was proved about its disks no longer holds.
func (d *draft) newOwner(m *pool.Machine, instance, op string, wiped map[string]bool) {
	m = d.machine(m)
	m.Instance, m.Owned = instance, nil
	if instance != "" {
		m.Owned = provedEmpty(m, wiped)
	}
	m.Epoch++
	d.useUp(m, op, wiped)
}

// provedEmpty are the serials of m's disks that have a wipe record.
func provedEmpty(m *pool.Machine, wiped map[string]bool) (out []string) {
	if m.Facts == nil {
		return nil
	}
	for _, disk := range m.Facts.Disks {
		if disk.Target() && wiped[disk.Serial] {
			out = append(out, disk.Serial)
		}
	}
	return out
}

// useUp ends all wipe records of m, also those of disks that its last
// inventory did not see: they may be put back.
func (d *draft) useUp(m *pool.Machine, op string, wiped map[string]bool) {
	for _, serial := range slices.Sorted(maps.Keys(wiped)) {
		if wiped[serial] {
			disk, _ := m.Facts.Disk(serial)
			d.Wipes = append(d.Wipes, &pool.WipeRecord{Serial: serial, Machine: m.ID, Operation: op,
				Method: "used", Size: disk.Size, At: d.now, Used: true})
		}
	}
}

// newOperation queues an operation on m.
func (d *draft) newOperation(m *pool.Machine, kind pool.OpKind, p pool.OpParams, by string) *pool.Operation {
	op := &pool.Operation{ID: d.mint("op"), Machine: m.ID, Kind: kind, Status: pool.Queued, By: by, Params: p,
		Token: d.mint(""), QueuedAt: d.now, Deadline: d.now.Add(queueTime)}
	d.operation(op)
	d.tellMachine(m, "operation.queued", pool.Info, "%s asked for %s of %s.", by, kind, m.Name).Operation = op.ID
	return op
}

// queueTime is how long an operation may be queued before it starts.
const queueTime = 10 * time.Minute

// newSteps adds pending steps to an owner, numbered from seq.
func (d *draft) newSteps(owner, machine string, epoch int64, seq int, deadline time.Time, names []string, of func(string) spec) []*pool.Step {
	var out []*pool.Step
	for i, name := range names {
		sp := of(name)
		s := &pool.Step{Key: pool.RoundKey(owner, d.round, name), Round: d.round, Owner: owner, Machine: machine, Seq: seq + i, Name: name,
			Executor: pool.ByAppliance, Mode: sp.mode, Idempotent: sp.idem, Status: pool.StepPending, Attempt: 1,
			Tries: sp.tries, Epoch: epoch, Timeout: sp.timeout, Deadline: deadline}
		if sp.task != "" {
			s.Executor = pool.ByAgent
			s.Task = &pool.Task{Kind: sp.task}
		}
		out = append(out, d.step(s))
	}
	return out
}

// begin makes a pending step run: its deadline starts. An agent step first
// has the time to be picked up.
func (d *draft) begin(s *pool.Step) {
	d.step(s)
	s.Status, s.StartedAt = pool.StepRunning, d.now
	s.Deadline = later(s.Deadline, s.NotBefore, d.now, s)
	s.NotBefore = time.Time{}
}

// later returns the deadline of a step that begins now. A retry of a patient
// step keeps the deadline of its first try, which newTry left in the row.
func later(kept, notBefore, now time.Time, s *pool.Step) time.Time {
	if s.Attempt > 1 && !notBefore.IsZero() && opSpec(s.Name).patient && s.Executor == pool.ByAppliance {
		return kept
	}
	if s.Executor == pool.ByAgent {
		return now.Add(pickup)
	}
	return now.Add(s.Timeout)
}

// newTry ends s with status and adds the row of its next try, due after wait.
func (d *draft) newTry(s *pool.Step, status pool.StepStatus, c *pool.Cause, wait time.Duration, keep bool) *pool.Step {
	d.end(s, status, c)
	n := *s
	n.Attempt++
	n.Key = s.NextKey()
	n.Status, n.Rev, n.BootID, n.Cause, n.Result, n.Output = pool.StepPending, 0, "", nil, nil, ""
	n.StartedAt, n.EndedAt = time.Time{}, time.Time{}
	n.NotBefore = d.now.Add(wait)
	if !keep {
		n.Deadline = n.NotBefore.Add(s.Timeout)
	}
	d.Steps = append(d.Steps, &n)
	return &n
}

// end ends a step.
func (d *draft) end(s *pool.Step, status pool.StepStatus, c *pool.Cause) {
	d.step(s)
	s.Status, s.Cause, s.EndedAt = status, c, d.now
}

// backoff is the wait before try n+1: 2 s, doubling, 30 s at most.
func backoff(n int) time.Duration {
	return min(2*time.Second<<min(n-1, 5), 30*time.Second)
}

func (d *draft) application(a *pool.Application) *pool.Application {
	if !slices.Contains(d.Applications, a) {
		a.UpdatedAt = d.now
		d.Applications = append(d.Applications, a)
	}
	return a
}
