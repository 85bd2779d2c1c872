package orchestrator

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"appliance/pool"
)

// iview is all that the planner may look at for one instance of a service.
type iview struct {
	now      time.Time
	in       *pool.Instance
	svc      *pool.Service
	all      []*pool.Instance // of the service, once siblings was called; not to be changed
	load     func() ([]*pool.Instance, error)
	err      error           // of load: what was planned does not count
	steps    []*pool.Step    // of the instance's life, in its round; what is done is not to be changed
	commands []*pool.Step    // custom commands on it that are open
	m        *pool.Machine   // nil while it has none
	op       *pool.Operation // the last one on m
	opSteps  []*pool.Step    // of op, when it is open and the instance is given up
	wiped    map[string]bool // of the machine it has or would get
	live     presence
	settled  time.Time
	template pool.Template
	rev      pool.Revision  // that the instance runs
	next     *pool.Revision // that it is being changed to; nil while it is not
	last     bool           // of its service: it ends the service, too
	depends  []dependency   // of the service, while the instance is brought up
	// choice is what Compute chose, while the instance has no machine or needs another.
	choice *pool.Machine
	// What recovery looks at: a running instance that could take over, with its
	// machine; the verified backup; whether healing was stopped.
	replica *replica
	backup  string
	stopped bool
	// patience is how long a chassis may take to come back; the default when zero.
	patience time.Duration
	nameTime time.Duration // see Engine.NameTime
	mint     func(prefix string) string
}

// draft begins a change of the instance's round.
func (v *iview) draft() draft { return draft{now: v.now, mint: v.mint, round: v.in.Round} }

// Steps that take an instance down are numbered from here.
const downSeq = 100

// acquireTime is how long an instance waits for a machine and its system.
const acquireTime = 6 * time.Hour

// planInstance decides what comes next for an instance. It is pure.
func planInstance(v *iview) decision {
	dec := decision{draft: v.draft()}
	switch v.in.Phase {
	case pool.InstanceWaiting:
		v.claim(&dec)
	case pool.InstanceAcquiring:
		v.acquire(&dec)
	case pool.InstanceInstalling, pool.InstanceStarting:
		v.up(&dec)
	case pool.InstanceStopping:
		v.down(&dec)
	case pool.InstanceReleasing:
		v.release(&dec)
	case pool.InstanceRunning:
		v.running(&dec)
	case pool.InstanceFailed:
		v.failed(&dec)
	case pool.InstanceRecovering:
		v.recover(&dec)
	case pool.InstanceRemoved:
		serviceRemoved(&dec.draft, v.in, v.svc, v.siblings)
	case pool.ServiceDeploying, pool.ServiceRemoving:
	}
	return dec
}

// siblings returns the instances of the service. They are read when they are
// asked for: a service may have a thousand, and most looks at one of them do
// not concern the others.
func (v *iview) siblings() []*pool.Instance {
	if v.all == nil && v.load != nil && v.err == nil {
		v.all, v.err = v.load()
	}
	return v.all
}

// claim takes the chosen machine and queues its deployment: one transaction,
// so that a lost race changes nothing and is planned anew.
func (v *iview) claim(dec *decision) {
	d, s := &dec.draft, current(v.steps)
	if s == nil || s.Name != stepAcquire {
		return
	}
	if !v.now.Before(s.Deadline) {
		c := cause("pool.empty", "No machine became free for instance "+v.in.ID+".", "template "+v.rev.Template,
			"Add machines or release some, then retry.", s.Name, v.now)
		d.end(s, pool.StepFailed, c)
		v.fail(d, c)
		return
	}
	m := v.choice
	if m == nil {
		dec.wake = earliest(s.Deadline, v.now.Add(5*time.Second))
		return
	}
	made := m.ID == "" // it has to be made
	if made {
		v.born(m)
	}
	host := v.host()
	op := d.newOperation(d.machine(m), pool.OpDeploy, pool.OpParams{Image: v.rev.Image, Instance: v.in.ID,
		Disk: v.hint(m), Hostname: host}, "service "+v.svc.Name)
	d.newOwner(m, v.in.ID, op.ID, v.wiped)
	if made {
		m.Owned = []string{m.ID}
	}
	d.phase(m, pool.Reserved, "claimed for service "+v.svc.Name)
	in := d.instance(v.in)
	in.Machine, in.Phase, in.Step = m.ID, pool.InstanceAcquiring, stepAcquire
	d.step(s).Machine = m.ID
	s.Deadline = v.now.Add(acquireTime)
	v.tell(d, "instance.acquiring", pool.Info, "%s takes machine %s.", v.title(), m.Name).Machine = m.ID
}

// host is the name of the instance's machine: a label of DNS.
func (v *iview) host() string {
	return strings.ReplaceAll(v.svc.Name, ".", "-") + "-" + strconv.Itoa(v.in.Number)
}

// hint chooses the disk of the system on m. Where the instance's data have a
// disk, too, it is named: the two must never be taken for each other.
func (v *iview) hint(m *pool.Machine) pool.DiskHint {
	t := wantedBy(v.template, v.rev.Recipe, v.rev.Image)
	h := t.Target
	h.MinSize = max(h.MinSize, t.Disk)
	if b := v.in.Storage; b != nil && m != nil && b.Machine == m.ID && m.Facts != nil {
		others := slices.DeleteFunc(slices.Clone(m.Facts.Disks), func(d pool.Disk) bool { return d.Serial == b.Serial })
		if system, err := h.Choose(others); err == nil {
			return pool.DiskHint{Serial: system.Serial}
		}
		return pool.DiskHint{Serial: "of another disk than " + b.Serial + ", which bears the data"} // no disk fits
	}
	if len(t.Storage) > 0 && m != nil && m.Facts != nil {
		if system, _, err := t.Disks(m.Facts); err == nil {
			return pool.DiskHint{Serial: system.Serial}
		}
	}
	return h
}

// acquire waits for the machine's deployment.
func (v *iview) acquire(dec *decision) {
	d, s := &dec.draft, current(v.steps)
	if s == nil || v.m == nil || v.op == nil {
		return
	}
	if v.otherImage() {
		d.end(s, pool.StepCancelled, cause("service.updated", v.title()+" goes to another revision.", "", "None is needed.", s.Name, v.now))
		v.reimage(d)
		return
	}
	if v.m.Phase == pool.Active && v.m.Instance == v.in.ID && !(v.op.Kind == pool.OpDeploy && v.op.Status.Open()) {
		d.end(s, pool.StepDone, nil)
		v.tellStep(d, s, "step.done", pool.Info, "%s has machine %s.", v.title(), v.m.Name)
		v.begin(d, 2, v.checking(gated(*v.svc, upSteps(v.rev.Recipe, v.in.Number))))
		d.instance(v.in).Phase = pool.InstanceInstalling
		v.advance(d)
		return
	}
	if v.m.Instance != v.in.ID && v.m.Driver.Or() == pool.DriverSSH {
		v.lookAgain(d, s)
		return
	}
	if !v.op.Status.Open() {
		c := v.op.Cause
		if c == nil {
			c = cause("deploy.lost", "The deployment of "+v.m.Name+" is not under way.", "last operation: "+string(v.op.Kind), "Retry.", s.Name, v.now)
		}
		d.end(s, pool.StepFailed, c)
		if !v.another(d, c) {
			v.fail(d, c)
		}
		return
	}
	if !v.now.Before(s.Deadline) {
		c := overdue(s, *v.m, v.now)
		d.end(s, pool.StepFailed, c)
		v.fail(d, c)
		return
	}
	dec.wake = s.Deadline
}

// otherImage says that the instance's revision was changed while the image of
// another one was being written, which has ended now.
func (v *iview) otherImage() bool {
	return v.op.Kind == pool.OpDeploy && !v.op.Status.Open() && v.op.Params.Instance == v.in.ID && v.op.Params.Image != v.rev.Image &&
		v.m.Instance == v.in.ID && v.m.Driver.Or() == pool.DriverMetal
}

// lookAgain lets the instance wait for another host: the one it had taken went
// back to the pool, because it could not be connected to.
func (v *iview) lookAgain(d *draft, s *pool.Step) {
	v.tell(d, "instance.waiting", pool.Warning, "%s looks for another host: %s could not be connected to.", v.title(), v.m.Name).Machine = v.m.ID
	in := d.instance(v.in)
	in.Machine, in.Phase = "", pool.InstanceWaiting
	d.step(s).Machine = ""
	s.Deadline = v.now.Add(time.Hour)
}

func (v *iview) spec(name string) spec { return eventSpec(name, v.rev.Recipe) }

// up looks at the current step of an instance that is being brought up.
func (v *iview) up(dec *decision) {
	d, s := &dec.draft, v.current()
	switch {
	case s == nil:
		v.advance(d)
	case s.Status == pool.StepPending && v.now.Before(s.NotBefore):
		dec.wake = s.NotBefore
	case s.Status == pool.StepPending:
		v.advance(d)
	case s.Status != pool.StepRunning:
		v.fail(d, s.Cause)
	case s.Name == stepDepends:
		v.waits(dec, s)
	case !v.now.Before(s.Deadline):
		v.again(d, s, overdue(s, *v.m, v.now))
	default:
		dec.wake = s.Deadline
	}
}

// current returns the step that runs or comes next. On the way down what
// failed is passed over.
func (v *iview) current() *pool.Step {
	down := v.in.Phase == pool.InstanceStopping
	for _, s := range latest(v.steps) {
		if !down && s.Seq < downSeq && tolerant(s.Name) && s.Status == pool.StepFailed {
			continue
		}
		if down && (s.Seq < downSeq || s.Status != pool.StepPending && s.Status != pool.StepRunning) {
			continue
		}
		if s.Status != pool.StepDone {
			return s
		}
	}
	return nil
}

// advance begins the next step, or ends the way up or down.
func (v *iview) advance(d *draft) {
	s := v.current()
	down := v.in.Phase == pool.InstanceStopping
	switch {
	case s == nil && down && v.in.Reinstall:
		v.reimage(d)
		return
	case s == nil && down && v.in.Next != 0:
		v.renew(d)
		return
	case s == nil && down:
		d.instance(v.in).Phase = pool.InstanceReleasing
		return
	case s == nil:
		v.runs(d)
		return
	case s.Status != pool.StepPending || v.now.Before(s.NotBefore):
		return
	case s.Name == stepDepends:
		v.depend(d, s)
		return
	case v.lastWaits(s):
		return
	}
	if c := v.params(s); c != nil {
		d.end(s, pool.StepFailed, c)
		v.tellStep(d, s, "step.failed", pool.Problem, "%s: %s failed.", v.title(), s.Name).Cause = c
		if down && !v.strict() { // passed over
			v.advance(d)
			return
		}
		v.fail(d, c)
		return
	}
	d.begin(s)
	in := d.instance(v.in)
	in.Step = s.Name
	if !down && in.Phase == pool.InstanceInstalling && slices.Index(upEvents(), s.Name) >= slices.Index(upEvents(), "preStart") {
		in.Phase = pool.InstanceStarting
	}
	v.tellStep(d, s, "step.started", pool.Info, "%s: %s started.", v.title(), s.Name)
}

// params fills in what the agent needs for a step; a cause says why it cannot be done.
func (v *iview) params(s *pool.Step) *pool.Cause {
	info := instanceInfo(v.in, v.svc, v.rev, v.m)
	switch s.Task.Kind {
	case pool.TaskStorage:
		return v.storageParams(s, info)
	case pool.TaskPrepare, pool.TaskCleanup, pool.TaskWatch:
		s.Task.Params = encode(pool.PrepareParams{Instance: info, Digest: v.rev.Recipe.Digest, Packages: len(v.rev.Recipe.Packages) > 0})
	case pool.TaskReboot:
	default:
		p := pool.EventParams{Instance: info, Event: s.Name}
		switch {
		case s.Verifying:
			p.Event, p.Args = eventVerify, []string{s.Name}
		case s.Task.Kind == pool.TaskDetect:
			p.Interval = cmp.Or(v.rev.Recipe.StartInterval, 5*time.Second)
		case s.Name == stepRestore && v.in.Heal != nil:
			p.Event, p.Args = commandEvent+restoreCommand, []string{v.in.Heal.Backup}
		case s.Name == stepCheck:
			p.Event = commandEvent + checkCommand
		}
		s.Task.Params = encode(p)
	}
	return nil
}

// instanceInfo is what a recipe may know of its instance.
func instanceInfo(in *pool.Instance, svc *pool.Service, rev pool.Revision, m *pool.Machine) pool.InstanceInfo {
	return pool.InstanceInfo{ID: in.ID, Number: in.Number, Service: svc.BaseName(), Application: svc.ApplicationName(), Planned: svc.Instances,
		Machine: in.Machine, Address: m.Address, Template: rev.Template, Image: rev.Image, Digest: rev.Recipe.Digest}
}

// runs ends the way up.
func (v *iview) runs(d *draft) {
	in := d.instance(v.in)
	v.healed(d)
	in.Phase, in.RunningAt, in.Cause, in.Step, in.Heal = pool.InstanceRunning, v.now, nil, "", nil
	in.Failures, in.NotBefore = 0, time.Time{}
	if v.m.Address.IsValid() {
		in.Endpoint = v.m.Address.String()
		if p := v.rev.Recipe.Port; p > 0 {
			in.Endpoint = netip.AddrPortFrom(v.m.Address, uint16(p)).String()
		}
	}
	v.tell(d, "instance.running", pool.Info, "%s runs on %s at %s.", v.title(), v.m.Name, in.Endpoint)
	v.serviceRuns(d)
	settle(d, v.svc, in, v.siblings)
}

// serviceRuns notes that the last instance of a service came up. Of two that
// come up at once each sees the other under way: the look at the service that
// follows finds that both run. Where one failed, the service did, and asks for a person again.
func (v *iview) serviceRuns(d *draft) {
	if v.svc.Phase != pool.ServiceDeploying && v.svc.Phase != pool.ServiceRecovering {
		return
	}
	var failed *pool.Instance
	for _, o := range v.siblings() {
		switch {
		case o.ID == v.in.ID || o.Phase == pool.InstanceRunning || o.Phase == pool.InstanceRemoved:
		case o.Phase == pool.InstanceFailed && v.svc.Phase == pool.ServiceRecovering && !v.svc.Rollout.Open():
			failed = o
		default:
			return
		}
	}
	svc := d.service(v.svc)
	if failed != nil {
		svc.Phase, svc.Cause = pool.ServiceFailed, failed.Cause
		v.tell(d, "service.failed", pool.Problem, "Service %s failed: %s", svc.Name, messageOf(failed.Cause)).Cause = failed.Cause
		return
	}
	svc.Phase, svc.Cause = pool.ServiceRunning, nil
	v.tell(d, "service.running", pool.Info, "Service %s runs with %d instances.", svc.Name, svc.Instances).Instance = ""
}

func (v *iview) add(s *pool.Step) {
	w := view{steps: v.steps}
	w.add(s)
	v.steps = w.steps
}

// later0 returns t if it is after now, else zero.
func later0(t, now time.Time) time.Time {
	if t.After(now) {
		return t
	}
	return time.Time{}
}

// earliest returns the earlier of two times; a zero one does not count.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func (v *iview) title() string { return v.svc.Name + "/" + strconv.Itoa(v.in.Number) }

func (v *iview) tell(d *draft, kind string, sev pool.Severity, format string, args ...any) *pool.Event {
	e := d.tell(kind, sev, format, args...)
	e.Service, e.Instance, e.Digest = v.svc.Name, v.in.ID, v.rev.Recipe.Digest
	return e
}

func (v *iview) tellStep(d *draft, s *pool.Step, kind string, sev pool.Severity, format string, args ...any) *pool.Event {
	e := v.tell(d, kind, sev, format, args...)
	e.Step, e.Machine = s.Name, s.Machine
	return e
}
