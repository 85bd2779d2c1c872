package orchestrator

import (
	"slices"
	"time"

	"appliance/pool"
)

// takeDown plans the steps that take an instance down. A service's name means
// its instances that run: where this one did and others do, what ends it waits
// until nobody holds an answer with it any more.
func (v *iview) takeDown(d *draft, names []string) {
	in := d.instance(v.in)
	named := in.Phase == pool.InstanceRunning && v.svc.Phase != pool.ServiceRemoving &&
		slices.ContainsFunc(v.siblings(), func(o *pool.Instance) bool { return o.ID != in.ID && o.Phase == pool.InstanceRunning })
	in.Phase = pool.InstanceStopping
	v.steps = d.newSteps(in.ID, v.m.ID, v.m.Epoch, downSeq, d.now.Add(downTime), names, v.spec)
	if i := slices.IndexFunc(v.steps, func(s *pool.Step) bool { return s.Name != "drain" }); named && v.nameTime > 0 && i >= 0 {
		v.steps[i].NotBefore = d.now.Add(v.nameTime)
	}
}

// down looks at the steps that take an instance down. When its agent is gone
// they are passed over: removal is bounded in time.
func (v *iview) down(dec *decision) {
	d, s := &dec.draft, v.current()
	switch {
	case s != nil && s.Status == pool.StepPending && v.now.Before(s.NotBefore):
		dec.wake = s.NotBefore
	case s == nil || s.Status == pool.StepPending:
		if v.advance(d); s != nil && v.lastWaits(s) {
			dec.wake = v.now.Add(2 * time.Second)
		}
	case !v.now.Before(s.Deadline):
		v.again(d, s, overdue(s, *v.m, v.now))
	case v.live.mode != pool.Installed && !v.now.Before(v.settled):
		c := cause("agent.silent", "The agent on "+v.m.Name+" does not answer.", "", "Nothing: the removal goes on without it.", s.Name, v.now)
		for _, o := range latest(v.steps) {
			if o.Status == pool.StepPending || o.Status == pool.StepRunning {
				d.end(o, pool.StepCancelled, c)
			}
		}
		v.tellStep(d, s, "step.failed", pool.Warning, "%s: its agent does not answer; the removal goes on without it.", v.title()).Cause = c
		v.advance(d)
	default:
		dec.wake = earliest(s.Deadline, later0(v.settled, v.now))
	}
}

// release gives the machine back. An operation that is open on it is
// cancelled first.
func (v *iview) release(dec *decision) {
	d := &dec.draft
	if v.op != nil && v.op.Status.Open() {
		if v.op.CancelAsked.IsZero() {
			d.operation(v.op).CancelAsked = v.now
			v.tell(d, "operation.cancelling", pool.Info, "%s is removed: %s of its machine is cancelled.", v.title(), v.op.Kind).Operation = v.op.ID
		}
		dec.wake = v.now.Add(30 * time.Second)
		return
	}
	seq := downSeq + 50
	if v.m != nil && v.m.Instance == v.in.ID {
		s := d.newSteps(v.in.ID, v.m.ID, v.m.Epoch, seq, v.now, []string{stepRelease}, v.spec)[0]
		s.Executor, s.Task, s.Mode, s.StartedAt = pool.ByAppliance, nil, "", v.now
		d.end(s, pool.StepDone, nil)
		release(d, v.m, v.wiped, v.svc.Wipe || v.in.Wipe, "it holds the data of service "+v.svc.Name, "service "+v.svc.Name)
	}
	removed(d, v.in, v.svc, v.siblings)
}

// removed ends an instance for good, and with the last one the service.
func removed(d *draft, in *pool.Instance, svc *pool.Service, siblings func() []*pool.Instance) {
	d.instance(in).Phase = pool.InstanceRemoved
	in.Step, in.Endpoint = "", ""
	e := d.tell("instance.removed", pool.Info, "%s/%d is removed.", svc.Name, in.Number)
	e.Service, e.Instance = svc.Name, in.ID
	d.secret(tokenSecret(in.ID), pool.Secret{})
	d.Cleared = append(d.Cleared, "instance:"+in.ID)
	if svc.Phase != pool.ServiceRemoving { // else all of them go with the service's name
		d.forgetRemoved(in, siblings())
	}
	serviceRemoved(d, in, svc, siblings)
}

// serviceRemoved ends a service whose last instance is gone.
func serviceRemoved(d *draft, in *pool.Instance, svc *pool.Service, siblings func() []*pool.Instance) {
	if svc.Phase != pool.ServiceRemoving {
		settle(d, svc, in, siblings)
		return
	}
	for _, o := range siblings() {
		if o.ID != in.ID && o.Phase != pool.InstanceRemoved {
			return
		}
	}
	d.service(svc).Phase = pool.ServiceRemoved
	d.Cleared = append(d.Cleared, "service:"+svc.Name)
	svc.RemovedAt, svc.Cause = d.now, nil
	d.tell("service.removed", pool.Info, "Service %s is removed.", svc.Name).Service = svc.Name
}
