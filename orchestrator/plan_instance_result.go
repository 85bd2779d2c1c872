package orchestrator

import (
	"encoding/json"
	"strings"
	"time"

	"appliance/pool"
)

// result takes what an agent said of an instance's step.
func (v *iview) result(d *draft, s *pool.Step, o pool.TaskOutcome) {
	s.Output = o.Output
	if v.in.Phase == pool.InstanceRecovering {
		v.promoted(d, s, o)
		return
	}
	switch o.State {
	case "done":
		if s.Verifying {
			v.verified(d, s, o.Result)
			return
		}
		if s.Name == stepStorage {
			if c := v.bound(d, s, o.Result); c != nil {
				v.again(d, s, c)
				return
			}
		}
		if len(o.Result) <= pool.MaxResult { // what an event returns is read by nobody but its summary
			s.Result = o.Result
		}
		d.end(s, pool.StepDone, nil)
		v.tellStep(d, s, "step.done", pool.Info, "%s: %s is done%s.", v.title(), s.Name, summary(o.Result))
		switch s.Name {
		case stepRestart:
			d.condition(v.m, pool.CondAgent, "booting", "")
		case stepWatch:
			in := d.instance(v.in)
			in.Watch, in.BootID = s.Key, s.BootID
		}
		v.advance(d)
	case "interrupted":
		v.interrupted(d, s)
	default:
		v.again(d, s, taskCause(o, s, *v.m, v.now))
	}
}

// summary is what an entry says of itself: a closure may return a map with a
// text "summary", as the bases for Puppet, Ansible and Chef do.
func summary(result json.RawMessage) string {
	var r struct {
		Value struct {
			Summary string `json:"summary"`
		} `json:"value"`
	}
	if len(result) == 0 || json.Unmarshal(result, &r) != nil || r.Value.Summary == "" {
		return ""
	}
	text := strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return ' '
		}
		return c
	}, r.Value.Summary)
	return ": " + text[:min(len(text), 200)]
}

// again tries a failed step once more, or fails the instance. On the way
// down a failure is told, and the removal goes on.
func (v *iview) again(d *draft, s *pool.Step, c *pool.Cause) {
	if s.Verifying {
		v.unverified(d, s, c)
		return
	}
	if v.in.Phase == pool.InstanceStopping && !v.strict() || v.in.Phase != pool.InstanceStopping && tolerant(s.Name) {
		goes := "it goes on"
		if v.in.Phase == pool.InstanceStopping {
			goes = "the removal goes on"
		}
		d.end(s, pool.StepFailed, c)
		v.tellStep(d, s, "step.failed", pool.Warning, "%s: %s failed; %s.", v.title(), s.Name, goes).Cause = c
		v.advance(d)
		return
	}
	if s.Attempt < s.Tries {
		wait := backoff(s.Attempt)
		v.add(d.newTry(s, pool.StepFailed, c, wait, false))
		v.tellStep(d, s, "step.retry", pool.Warning, "%s: %s failed and is tried again in %s.", v.title(), s.Name, wait).Cause = c
		return
	}
	d.end(s, pool.StepFailed, c)
	v.tellStep(d, s, "step.failed", pool.Problem, "%s: %s failed.", v.title(), s.Name).Cause = c
	v.fail(d, c)
	v.retryLater(d)
}

func (v *iview) interrupted(d *draft, s *pool.Step) {
	c := undecided(s, *v.m, v.now)
	if s.Idempotent {
		n := d.newTry(s, pool.StepInterrupted, c, 0, false)
		n.Tries++
		v.add(n)
		v.tellStep(d, s, "step.interrupted", pool.Warning, "%s: %s was cut off by a restart and runs again.", v.title(), s.Name)
		v.advance(d)
		return
	}
	if v.rev.Recipe.Verify && !s.Verifying {
		v.verify(d, s, c)
		return
	}
	d.end(s, pool.StepInterrupted, c)
	v.tellStep(d, s, "step.interrupted", pool.Problem, "%s: %s was cut off; a person decides.", v.title(), s.Name).Cause = c
	if v.in.Phase == pool.InstanceStopping && !v.strict() {
		v.advance(d)
		return
	}
	v.fail(d, c)
}

// fail ends an instance, and tells the service.
func (v *iview) fail(d *draft, c *pool.Cause) {
	in := d.instance(v.in)
	in.Phase, in.Cause, in.NotBefore = pool.InstanceFailed, c, time.Time{}
	v.tell(d, "instance.failed", pool.Problem, "%s failed: %s", v.title(), messageOf(c)).Cause = c
	if v.svc.Rollout.Open() {
		return // the rollout decides
	}
	svc := d.service(v.svc)
	if svc.Phase == pool.ServiceDeploying || svc.Phase == pool.ServiceRunning || svc.Phase == pool.ServiceRecovering {
		svc.Phase, svc.Cause = pool.ServiceFailed, c
		v.tell(d, "service.failed", pool.Problem, "Service %s failed: %s", svc.Name, messageOf(c)).Cause = c
	}
}

func messageOf(c *pool.Cause) string {
	if c == nil {
		return "nobody knows why."
	}
	return c.Message
}
