package orchestrator

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"appliance/pool"
)

// grace is how much longer the appliance waits than the agent does, so that
// the agent's own word on a timeout arrives.
const grace = 15 * time.Second

// assignment is a task that an agent has.
type assignment struct {
	machine, token, bootID string
	service, instance      string
	step                   string
	mode                   pool.AgentMode
	next                   int  // line of output
	handed                 bool // to this boot, since its last hello
}

func same(a, b string) bool {
	return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// tokenSecret is the name of the secret that holds an instance's token.
func tokenSecret(instance string) string { return "token/" + instance }

// NextTask blocks until machine's agent has something to do, or ctx ends
// (ErrNotFound). That the agent has it is stored before it is returned. The
// same boot gets the same task again until its result arrived; so does an
// installed agent after a reboot, whose journal knows how the task ended.
//
// An installed agent must have said hello since the appliance started
// (ErrConflict): only then is its epoch known.
func (e *Engine) NextTask(ctx context.Context, machine, bootID string, mode pool.AgentMode) (pool.Step, string, error) {
	return e.nextTask(ctx, machine, bootID, mode, false)
}

// NextErrand is NextTask for an installed agent that is busy with a task: it
// gets commands and looks, which run beside it.
func (e *Engine) NextErrand(ctx context.Context, machine, bootID string) (pool.Step, string, error) {
	return e.nextTask(ctx, machine, bootID, pool.Installed, true)
}

func (e *Engine) nextTask(ctx context.Context, machine, bootID string, mode pool.AgentMode, busy bool) (pool.Step, string, error) {
	e.init()
	none := fmt.Errorf("%w: no task for machine %s", pool.ErrNotFound, machine)
	p := e.presence(machine)
	if mode == pool.Installed && (p.mode != pool.Installed || p.bootID != bootID || !p.greeted) && p.gone != bootID {
		return pool.Step{}, "", fmt.Errorf("%w: agent on machine %s: say hello first", pool.ErrConflict, machine)
	}
	_, here := e.heard(machine, mode, bootID, func(p *presence) {
		p.polling++
		p.trusted = p.trusted || mode == pool.InRAM
	})
	if here {
		defer e.rests(machine, bootID)
	}
	for {
		bell := e.bell(machine)
		p := e.presence(machine)
		if here && p.bootID == bootID {
			s, token, err := e.assign(ctx, machine, bootID, mode, p, busy)
			switch {
			case ctx.Err() != nil:
				return pool.Step{}, "", none
			case errors.Is(err, pool.ErrConflict):
				continue
			case err != nil || s.Key != "":
				return s, token, err
			}
		}
		select {
		case <-bell:
		case <-ctx.Done():
			return pool.Step{}, "", none
		}
	}
}

// assign gives the machine's running step for mode to the agent. A zero step
// means that there is none.
func (e *Engine) assign(ctx context.Context, machine, bootID string, mode pool.AgentMode, p presence, busy bool) (pool.Step, string, error) {
	steps, err := e.Store.RunningSteps(ctx, machine)
	if err != nil {
		return pool.Step{}, "", err
	}
	for _, s := range steps {
		if s.Executor != pool.ByAgent {
			continue
		}
		if isCommand(s) && e.handed(s.Key, bootID) || busy && !isCommand(s) {
			continue // it has it; it is busy
		}
		if s.Mode != mode && s.Name != stepShutdown || !p.trusted && s.Name != stepRestart {
			continue
		}
		if mode == pool.Installed && s.Epoch != p.epoch {
			continue // it is for another owner's system
		}
		if mode == pool.InRAM && s.BootID != "" && s.BootID != bootID {
			continue // it was cut off: the planner decides
		}
		return e.hand(ctx, s, bootID)
	}
	if mode == pool.Installed && p.trusted {
		return e.takeLook(ctx, machine)
	}
	return pool.Step{}, "", nil
}

// handed says whether this boot has a command already. Commands run beside
// other tasks, so an agent that asks again has not ended the last one.
func (e *Engine) handed(key, bootID string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	a, ok := e.assigned[key]
	return ok && a.handed && a.bootID == bootID
}

// handAgain lets a machine's agent have its commands again: it said hello, and
// the last answer may have been lost. It knows those that it has by their keys.
func (e *Engine) handAgain(machine string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for key, a := range e.assigned {
		if a.machine == machine && a.handed {
			a.handed = false
			e.assigned[key] = a
		}
	}
}

// hand stores that the agent has s, and completes its task.
func (e *Engine) hand(ctx context.Context, s pool.Step, bootID string) (pool.Step, string, error) {
	now := time.Now().UTC()
	a := assignment{machine: s.Machine, bootID: bootID, step: s.Name, mode: s.Mode}
	var name string
	if strings.HasPrefix(s.Owner, "in-") {
		t, err := e.Store.Secret(ctx, tokenSecret(s.Owner))
		if err != nil {
			return pool.Step{}, "", err
		}
		in, err := e.Store.Instance(ctx, s.Owner)
		if err != nil {
			return pool.Step{}, "", err
		}
		a.token, a.service, a.instance = t.Reveal(), in.Service, in.ID
		name = fmt.Sprintf("%s/%d", in.Service, in.Number)
	} else {
		op, err := e.Store.Operation(ctx, s.Owner)
		if err != nil {
			return pool.Step{}, "", err
		}
		a.token, name = op.Token, string(op.Kind)
	}
	if s.BootID != bootID {
		s.BootID = bootID
		s.Deadline = now.Add(s.Timeout + grace)
		d := &draft{now: now, mint: mint}
		ev := d.tell("step.assigned", pool.Info, "The agent has step %s of %s.", s.Name, name)
		ev.Machine, ev.Service, ev.Instance, ev.Step = s.Machine, a.service, a.instance, s.Name
		if a.instance == "" {
			ev.Operation = s.Owner
		}
		d.step(&s)
		if a.instance != "" {
			d.ahead, d.alarm = "i:"+s.Owner, s.Deadline
		}
		if err := e.apply(ctx, d); err != nil {
			return pool.Step{}, "", err
		}
	}
	e.mu.Lock()
	if old, ok := e.assigned[s.Key]; ok && old.bootID == bootID {
		a.next = old.next
	}
	a.handed = true
	e.assigned[s.Key] = a
	e.mu.Unlock()
	s, err := e.complete(ctx, s, a.token, now)
	return s, a.token, err
}

// complete fills in what is secret, and looks at a wipe for the last time.
func (e *Engine) complete(ctx context.Context, s pool.Step, token string, now time.Time) (pool.Step, error) {
	if s.Task == nil {
		return s, nil
	}
	t := *s.Task
	s.Task = &t
	switch {
	case t.Kind == pool.TaskBMCUser:
		var p pool.BMCUserParams
		if err := json.Unmarshal(t.Params, &p); err != nil {
			return pool.Step{}, fmt.Errorf("step %s: %w", s.Key, err)
		}
		pw, err := e.Store.Secret(ctx, pool.BMCSecret(s.Machine))
		if err != nil {
			return pool.Step{}, err
		}
		p.Password = pw.Reveal()
		t.Params = encode(p)
	case t.Kind == pool.TaskWipe && s.Rev > 0:
		var p pool.WipeParams
		if err := json.Unmarshal(t.Params, &p); err != nil {
			return pool.Step{}, fmt.Errorf("step %s: %w", s.Key, err)
		}
		ended := fmt.Errorf("%w: step %s has ended", pool.ErrConflict, s.Key)
		v, err := e.view(ctx, s.Machine)
		if err != nil {
			return pool.Step{}, err
		}
		if v.op == nil {
			return pool.Step{}, ended
		}
		if _, err := pool.MayWipe(*v.m, *v.op, token, p.Serials, now); err != nil {
			c := cause("wipe.refused", "The wipe of "+v.m.Name+" was refused.", err.Error(), "Inspect the machine, then retry.", s.Name, now)
			err := e.change(ctx, s.Machine, func(v *view, d *draft) error {
				switch cur := current(v.steps); {
				case cur == nil || cur.Key != s.Key:
				case v.unseen() && find(v.steps, stepFacts) != nil:
					n := d.newTry(cur, pool.StepInterrupted, c, 0, false)
					n.Tries++
					v.add(n)
					v.advance(d) // to looking again
				default:
					v.stop(d, cur, c)
				}
				return nil
			})
			return pool.Step{}, cmp.Or(err, ended)
		}
	}
	return s, nil
}

// TaskProgress records how far a task is, in memory. ErrNotFound tells the
// agent to stop the task: it was cancelled, or belongs to nobody.
func (e *Engine) TaskProgress(ctx context.Context, machine, key, token, bootID string, p pool.Progress) error {
	a, err := e.holds(ctx, machine, key, token, bootID)
	if err != nil {
		return err
	}
	if l := e.presence(machine); l.mode != "" && l.bootID != bootID {
		return fmt.Errorf("%w: task %s is of an earlier boot of machine %s", pool.ErrNotFound, key, machine)
	}
	p.At = time.Now().UTC()
	now, _ := e.heard(machine, a.mode, bootID, func(l *presence) { l.progress = &p })
	e.publish(machine, now.state())
	return nil
}

// TaskOutput stores lines that a task printed; first numbers them from 0, and
// those that were stored already are passed over.
func (e *Engine) TaskOutput(ctx context.Context, machine, key, token string, first int, lines []string) error {
	a, err := e.holds(ctx, machine, key, token, "")
	if err != nil {
		return err
	}
	if skip := a.next - first; skip > 0 {
		lines = lines[min(skip, len(lines)):]
		first = a.next
	}
	if len(lines) == 0 {
		return nil
	}
	now := time.Now().UTC()
	out := make([]pool.LogLine, len(lines))
	for i, l := range lines {
		out[i] = pool.LogLine{At: now, Machine: machine, Service: a.service, Instance: a.instance, Step: a.step, Line: l}
	}
	if _, err := e.Store.AppendLog(ctx, out); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if a, ok := e.assigned[key]; ok {
		a.next = max(a.next, first+len(lines))
		e.assigned[key] = a
	}
	return nil
}

// holds says whether the agent on machine has the task. After a restart of
// the appliance the rows are asked.
func (e *Engine) holds(ctx context.Context, machine, key, token, bootID string) (assignment, error) {
	e.init()
	refuse := fmt.Errorf("%w: task %s is not open on machine %s", pool.ErrNotFound, key, machine)
	e.mu.Lock()
	a, ok := e.assigned[key]
	e.mu.Unlock()
	if !ok {
		s, err := e.Store.Step(ctx, key)
		if err != nil {
			return a, err
		}
		if s.Status != pool.StepRunning || s.BootID == "" {
			return a, refuse
		}
		if a, err = e.assignmentOf(ctx, s); err != nil {
			return a, err
		}
		e.mu.Lock()
		e.assigned[key] = a
		e.mu.Unlock()
	}
	if a.machine != machine || !same(a.token, token) || bootID != "" && a.bootID != bootID {
		return assignment{}, refuse
	}
	return a, nil
}

func (e *Engine) assignmentOf(ctx context.Context, s pool.Step) (assignment, error) {
	a := assignment{machine: s.Machine, bootID: s.BootID, step: s.Name, mode: s.Mode}
	if !strings.HasPrefix(s.Owner, "in-") {
		op, err := e.Store.Operation(ctx, s.Owner)
		a.token = op.Token
		return a, err
	}
	t, err := e.Store.Secret(ctx, tokenSecret(s.Owner))
	if err != nil {
		return a, err
	}
	in, err := e.Store.Instance(ctx, s.Owner)
	a.token, a.service, a.instance = t.Reveal(), in.Service, in.ID
	return a, err
}

// TaskResult ends a task. One that was recorded before is acknowledged again;
// a late one, whose step is no longer open, is logged, never applied, and
// answered ErrNotFound.
func (e *Engine) TaskResult(ctx context.Context, o pool.TaskOutcome) error {
	e.init()
	for try := 0; ; try++ {
		s, err := e.Store.Step(ctx, o.Key)
		if err != nil {
			return err
		}
		a, err := e.assignmentOf(ctx, s)
		if err != nil {
			return fmt.Errorf("result of task %s: %w", o.Key, err)
		}
		if s.Machine != o.Machine || !same(a.token, o.Token) || s.BootID == "" || s.Mode == pool.InRAM && s.BootID != o.BootID {
			return e.late(o)
		}
		if s.Status != pool.StepRunning {
			if s.Status == pool.StepDone && o.State == "done" || s.Status == pool.StepFailed && o.State == "failed" {
				return nil // its acknowledgement was lost
			}
			return e.late(o)
		}
		err = e.takeResult(ctx, s, o)
		if !errors.Is(err, pool.ErrConflict) || try == 9 {
			return err
		}
	}
}

// assignAhead gives the step that follows to the agent that has just reported,
// in the same transaction: it asks for it next. That the agent has it is still
// stored before it gets it, and its journal decides after a reboot.
func (v *iview) assignAhead(d *draft, ended *pool.Step, o pool.TaskOutcome) {
	next := v.current()
	if next == nil || next.Status != pool.StepRunning || next.BootID != "" || next.Executor != pool.ByAgent || next.Mode != pool.Installed ||
		ended.Mode != pool.Installed || ended.Task == nil || ended.Task.Kind == pool.TaskReboot || o.State != "done" ||
		v.live.mode != pool.Installed || v.live.bootID != o.BootID || !v.live.trusted {
		return
	}
	d.step(next).BootID = o.BootID
	next.Deadline = v.now.Add(next.Timeout + grace)
	d.ahead, d.alarm = "i:"+next.Owner, next.Deadline
}

func (e *Engine) late(o pool.TaskOutcome) error {
	e.Log.Warn("late result", "machine", o.Machine, "step", o.Key, "state", o.State)
	return fmt.Errorf("%w: task %s is not open", pool.ErrNotFound, o.Key)
}

func (e *Engine) takeResult(ctx context.Context, s pool.Step, o pool.TaskOutcome) error {
	stale := fmt.Errorf("%w: task %s has changed", pool.ErrConflict, o.Key)
	if isCommand(s) {
		return e.takeCommand(ctx, s.Key, o)
	}
	if strings.HasPrefix(s.Owner, "in-") {
		v, err := e.iview(ctx, s.Owner)
		if err != nil {
			return err
		}
		d := v.draft()
		cur := v.current()
		if cur == nil || cur.Key != s.Key || cur.Status != pool.StepRunning || v.m == nil {
			return stale
		}
		v.result(&d, cur, o)
		if v.err != nil {
			return v.err
		}
		v.assignAhead(&d, cur, o)
		return e.apply(ctx, &d)
	}
	v, err := e.view(ctx, s.Machine)
	if err != nil {
		return err
	}
	d := &draft{now: v.now, mint: v.mint}
	cur := current(v.steps)
	if v.op == nil || v.op.ID != s.Owner || cur == nil || cur.Key != s.Key || cur.Status != pool.StepRunning {
		return stale
	}
	v.result(d, cur, o)
	return e.apply(ctx, d)
}
