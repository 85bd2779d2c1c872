package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"appliance/pool"
)

// A step that was cut off and may not run twice is never guessed at: the
// recipe's verify closure is asked whether it was done. True ends it, false
// runs it again; what says neither leaves it to a person. The question is a
// try of the step of its own, so it is as durable as the step is.

// eventVerify is the lifecycle entry that is asked; it gets the event's name.
const eventVerify = "verify"

// verifyTime is how long one answer may take.
const verifyTime = 5 * time.Minute

// verify plans the question whether s was done.
func (v *iview) verify(d *draft, s *pool.Step, c *pool.Cause) {
	n := d.newTry(s, pool.StepInterrupted, c, 0, false)
	n.Verifying, n.Idempotent, n.Timeout = true, true, verifyTime
	n.Tries = max(n.Tries, n.Attempt) + 1
	n.Task = &pool.Task{Kind: pool.TaskEvent}
	n.Deadline = v.now.Add(verifyTime)
	v.add(n)
	v.tellStep(d, s, "step.interrupted", pool.Warning, "%s: %s was cut off; its recipe is asked whether it was done.", v.title(), s.Name).Cause = c
	v.advance(d)
}

// anew is the next try of a step that was a question: the step itself.
func (v *iview) anew(d *draft, n *pool.Step) {
	sp := v.spec(n.Name)
	n.Verifying, n.Idempotent, n.Timeout = false, sp.idem, sp.timeout
	n.Task = &pool.Task{Kind: sp.task}
	n.Tries = max(n.Tries, n.Attempt)
	n.Deadline = v.now.Add(sp.timeout)
	d.step(n)
}

// verified takes the answer.
func (v *iview) verified(d *draft, s *pool.Step, result json.RawMessage) {
	var r struct {
		Value json.RawMessage `json:"value"`
	}
	_ = json.Unmarshal(result, &r) // what is no answer is none
	s.Result = result
	switch string(r.Value) {
	case "true":
		d.end(s, pool.StepDone, nil)
		v.tellStep(d, s, "step.verified", pool.Info, "%s: %s had been done, says its recipe.", v.title(), s.Name)
		v.advance(d)
	case "false":
		n := d.newTry(s, pool.StepInterrupted, nil, 0, false)
		v.anew(d, n)
		v.add(n)
		v.tellStep(d, s, "step.verified", pool.Warning, "%s: %s had not been done, says its recipe: it runs again.", v.title(), s.Name)
		v.advance(d)
	default:
		v.unverified(d, s, cause("verify.answer", fmt.Sprintf("The verify closure of %s says neither true nor false of %s.", v.rev.Recipe.Name, s.Name),
			fmt.Sprintf("it returned %.200s", r.Value), "Mend it: it has to return true or false.", s.Name, v.now))
	}
}

// unverified leaves it to a person: done (true) or again.
func (v *iview) unverified(d *draft, s *pool.Step, why *pool.Cause) {
	c := undecided(s, *v.m, v.now)
	c.Evidence = "its recipe was asked and did not say: " + why.Message + " " + why.Evidence
	d.end(s, pool.StepInterrupted, c)
	v.tellStep(d, s, "step.interrupted", pool.Problem, "%s: %s was cut off, and its recipe does not say whether it was done; a person decides.", v.title(), s.Name).Cause = c
	if v.in.Phase == pool.InstanceStopping && !v.strict() {
		v.advance(d)
		return
	}
	v.fail(d, c)
}

// TakeAsDone takes a person's word that the step of a service which was cut
// off was done: the instance goes on after it. Errors wrap ErrConflict when no
// step waits for that.
func (e *Engine) TakeAsDone(ctx context.Context, service, by string) (pool.Service, error) {
	e.init()
	for try := 0; ; try++ {
		svc, err := e.takeAsDone(ctx, service, by)
		if !errors.Is(err, pool.ErrConflict) || try == 9 || svc.Rev == 0 {
			return svc, err
		}
	}
}

func (e *Engine) takeAsDone(ctx context.Context, service, by string) (pool.Service, error) {
	svc, err := e.Store.Service(ctx, service)
	if err != nil {
		return pool.Service{}, err
	}
	all, err := e.Store.Instances(ctx, service)
	if err != nil {
		return pool.Service{}, err
	}
	for _, in := range all {
		if in.Phase != pool.InstanceFailed {
			continue
		}
		v, err := e.iview(ctx, in.ID)
		if err != nil {
			return pool.Service{}, err
		}
		s := v.current()
		if s == nil || s.Status != pool.StepInterrupted || v.m == nil {
			continue
		}
		d := v.draft()
		s.Verifying = false
		d.end(s, pool.StepDone, nil)
		v.in.Cause = nil
		d.instance(v.in).Phase = pool.InstanceInstalling
		svc.Phase, svc.Cause = pool.ServiceDeploying, nil
		v.svc = d.service(&svc)
		v.tellStep(&d, s, "step.taken-as-done", pool.Warning, "%s says that %s of %s, which was cut off, was done.", by, s.Name, v.title()).By = by
		v.advance(&d)
		return svc, e.apply(ctx, &d)
	}
	return pool.Service{}, fmt.Errorf("%w: service %s: no step waits to be decided", pool.ErrConflict, service)
}
