package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"appliance/pool"
)

// Custom commands are steps of the instances they run on, beside those of the
// lifecycle: numbered from pool.CommandSeq, keyed INVOCATION/NUMBER, never
// repeated. An invocation is the steps of its key.

// Invoke runs a custom command on the instances of a service that run, or on
// one of them. It returns when that is stored; WaitInvocation tells the end.
// Errors wrap ErrNotFound for a service or instance, ErrInvalid for a command
// that the recipe does not have, ErrUnavailable when nothing runs.
func (e *Engine) Invoke(ctx context.Context, service string, o pool.InvokeOptions) (pool.Invocation, error) {
	e.init()
	for try := 0; ; try++ {
		inv, err := e.invoke(ctx, service, o)
		if !errors.Is(err, pool.ErrConflict) || try == 9 {
			return inv, err
		}
	}
}

func (e *Engine) invoke(ctx context.Context, service string, o pool.InvokeOptions) (pool.Invocation, error) {
	svc, err := e.Store.Service(ctx, service)
	if err != nil {
		return pool.Invocation{}, err
	}
	if err := checkInvoke(svc, &o); err != nil {
		return pool.Invocation{}, err
	}
	all, err := e.Store.Instances(ctx, service)
	if err != nil {
		return pool.Invocation{}, err
	}
	targets, err := invoked(svc, all, o)
	if err != nil {
		return pool.Invocation{}, err
	}
	d := &draft{now: time.Now().UTC(), mint: mint}
	id := mint("inv")
	for i, in := range targets {
		m, err := e.Store.Machine(ctx, in.Machine)
		if err != nil {
			return pool.Invocation{}, err
		}
		steps, err := e.Store.Steps(ctx, in.ID)
		if err != nil {
			return pool.Invocation{}, err
		}
		rev, err := e.revisionOf(ctx, svc, in)
		if err != nil {
			return pool.Invocation{}, err
		}
		s := commandStep(id, m, nextSeq(steps), o, pool.CommandParams{Service: svc.Name, Instance: instanceInfo(&in, &svc, rev, &m)})
		if i == 0 || !o.Rolling {
			beginCommand(d, s, d.now)
		} else { // each may take its whole time
			s.Deadline = d.now.Add(time.Duration(i+1) * (s.Timeout + grace))
		}
		d.step(s)
		d.Instances = append(d.Instances, &in) // unless it goes down meanwhile: that ends the commands it finds
	}
	ev := d.tell("command.invoked", pool.Info, "%s invoked %s of service %s on %s.", o.By, o.Command, svc.Name, plural(len(targets), "instance"))
	ev.Service, ev.By = svc.Name, o.By
	if err := e.apply(ctx, d); err != nil {
		return pool.Invocation{}, err
	}
	return invocation(service, id, d.Steps), nil
}

func checkInvoke(svc pool.Service, o *pool.InvokeOptions) error {
	switch {
	case svc.Phase == pool.ServiceRemoved:
		return fmt.Errorf("%w: service %s was removed", pool.ErrNotFound, svc.Name)
	case !slices.Contains(svc.Recipe.Commands, o.Command):
		return fmt.Errorf("%w: No such Custom Command: %s%s", pool.ErrInvalid, o.Command, hintOf(o.Command, svc.Recipe.Commands))
	case len(o.Args) > pool.MaxCommandArgs:
		return fmt.Errorf("%w: command %s: %d arguments, %d at most", pool.ErrInvalid, o.Command, len(o.Args), pool.MaxCommandArgs)
	case o.Timeout < 0 || o.Timeout > pool.MaxCommandTimeout:
		return fmt.Errorf("%w: command %s: timeout %s: up to %s", pool.ErrInvalid, o.Command, o.Timeout, pool.MaxCommandTimeout)
	}
	for _, a := range o.Args {
		if len(a) > pool.MaxCommandArg || strings.ContainsRune(a, 0) {
			return fmt.Errorf("%w: command %s: an argument is too long or holds a zero byte", pool.ErrInvalid, o.Command)
		}
	}
	if o.Timeout == 0 {
		o.Timeout = pool.CommandTimeout
	}
	return nil
}

// invoked returns the instances that a command goes to, by number. One that is
// named may still be coming up: its recipe is there once it has begun.
func invoked(svc pool.Service, all []pool.Instance, o pool.InvokeOptions) ([]pool.Instance, error) {
	var out []pool.Instance
	for _, in := range all {
		up := in.Phase == pool.InstanceRunning || o.Instance > 0 && (in.Phase == pool.InstanceStarting || in.Phase == pool.InstanceInstalling)
		switch {
		case o.Instance > 0 && in.Number != o.Instance, in.Phase == pool.InstanceRemoved:
		case up && in.Machine != "":
			out = append(out, in)
		case o.Instance > 0:
			return nil, fmt.Errorf("%w: instance %d of service %s is %s", pool.ErrUnavailable, in.Number, svc.Name, in.Phase)
		}
	}
	slices.SortFunc(out, func(a, b pool.Instance) int { return a.Number - b.Number })
	switch {
	case len(out) > 0:
		return out, nil
	case o.Instance > 0:
		return nil, fmt.Errorf("%w: service %s has no instance %d", pool.ErrNotFound, svc.Name, o.Instance)
	}
	return nil, fmt.Errorf("%w: no instance of service %s runs", pool.ErrUnavailable, svc.Name)
}

func nextSeq(steps []pool.Step) int {
	next := pool.CommandSeq
	for _, s := range steps {
		next = max(next, s.Seq+1)
	}
	return next
}

func commandStep(id string, m pool.Machine, seq int, o pool.InvokeOptions, p pool.CommandParams) *pool.Step {
	p.Command, p.Args, p.Invocation, p.Rolling, p.By = o.Command, o.Args, id, o.Rolling, o.By
	return &pool.Step{Key: fmt.Sprintf("%s/%d", id, p.Instance.Number), Owner: p.Instance.ID, Machine: m.ID, Seq: seq, Name: "command:" + o.Command,
		Executor: pool.ByAgent, Mode: pool.Installed, Status: pool.StepPending, Attempt: 1, Tries: 1, Epoch: m.Epoch, Timeout: o.Timeout,
		Task: &pool.Task{Kind: pool.TaskCommand, Params: encode(p)}}
}

func beginCommand(d *draft, s *pool.Step, now time.Time) {
	d.step(s)
	s.Status, s.StartedAt, s.Deadline = pool.StepRunning, now, now.Add(s.Timeout+grace)
}

func isCommand(s pool.Step) bool { return s.Seq >= pool.CommandSeq }

// invocationOf is the ID in a command's key.
func invocationOf(key string) string {
	id, _, _ := strings.Cut(key, "/")
	return id
}

func paramsOf(s *pool.Step) (p pool.CommandParams) {
	if s.Task != nil {
		_ = json.Unmarshal(s.Task.Params, &p) // we wrote it
	}
	return p
}

// invocation shows the steps of one.
func invocation(service, id string, steps []*pool.Step) pool.Invocation {
	inv := pool.Invocation{ID: id, Service: service, Done: true, Results: []pool.CommandRun{}}
	for _, s := range steps {
		p := paramsOf(s)
		inv.Command, inv.Args, inv.Rolling, inv.By = p.Command, p.Args, p.Rolling, p.By
		r := pool.CommandRun{Instance: s.Owner, Number: p.Instance.Number, Machine: s.Machine, Status: s.Status,
			Output: s.Output, Cause: s.Cause, Started: s.StartedAt, Ended: s.EndedAt}
		var res pool.EventResult
		if len(s.Result) > 0 && json.Unmarshal(s.Result, &res) == nil {
			r.Value = res.Value
		}
		inv.Done = inv.Done && !stepOpen(s)
		inv.Results = append(inv.Results, r)
	}
	slices.SortFunc(inv.Results, func(a, b pool.CommandRun) int { return a.Number - b.Number })
	return inv
}

func stepOpen(s *pool.Step) bool { return s.Status == pool.StepPending || s.Status == pool.StepRunning }

// WaitInvocation returns an invocation of a service once it is done or ctx
// ended, whichever is first. Errors wrap ErrNotFound.
func (e *Engine) WaitInvocation(ctx context.Context, service, id string) (pool.Invocation, error) {
	e.init()
	read := context.WithoutCancel(ctx)
	defer e.ring("c:" + id) // keeps no bell that nothing will ring
	for {
		bell := e.bell("c:" + id)
		steps, err := e.invocationSteps(read, id)
		if err != nil {
			return pool.Invocation{}, err
		}
		inv := invocation(service, id, steps)
		if len(steps) == 0 || paramsOf(steps[0]).Service != service {
			return inv, fmt.Errorf("%w: service %s has no invocation %s", pool.ErrNotFound, service, id)
		}
		if inv.Done || ctx.Err() != nil {
			return inv, nil
		}
		select {
		case <-bell:
		case <-ctx.Done():
		}
	}
}

func (e *Engine) invocationSteps(ctx context.Context, id string) ([]*pool.Step, error) {
	list, err := e.Store.Invocation(ctx, id)
	out := make([]*pool.Step, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	slices.SortFunc(out, func(a, b *pool.Step) int { return paramsOf(a).Instance.Number - paramsOf(b).Instance.Number })
	return out, err
}

// tickInvocation looks once at an invocation.
func (e *Engine) tickInvocation(ctx context.Context, id string) error {
	steps, err := e.invocationSteps(ctx, id)
	if err != nil {
		return err
	}
	d := &draft{now: time.Now().UTC(), mint: mint}
	if wake := planInvocation(d, steps); !wake.IsZero() {
		e.q.addAt("c:"+id, wake)
	}
	return e.apply(ctx, d)
}

// planInvocation ends what is overdue, and begins the next instance of a
// rolling one: when the one before is done, never after a failure. It is pure.
// The steps are by the numbers of their instances.
func planInvocation(d *draft, steps []*pool.Step) (wake time.Time) {
	running, failed := 0, false
	for _, s := range steps {
		if stepOpen(s) && !d.now.Before(s.Deadline) {
			c := cause("command.timeout", fmt.Sprintf("The command did not end within %s.", s.Timeout), "",
				"Look at its output: appliance service logs; allow it more time with --timeout.", s.Name, d.now)
			if s.BootID == "" {
				c.Message = "The agent did not take the command in time."
			}
			endCommand(d, s, pool.StepFailed, c)
		}
		switch s.Status {
		case pool.StepRunning:
			running++
			wake = earliest(wake, s.Deadline)
		case pool.StepFailed, pool.StepInterrupted, pool.StepCancelled:
			failed = true
		case pool.StepPending, pool.StepDone:
		}
	}
	for _, s := range steps {
		if s.Status != pool.StepPending || running > 0 {
			continue
		}
		if failed {
			endCommand(d, s, pool.StepCancelled, cause("command.stopped", "It failed on an instance before this one.", "",
				"See what went wrong there, then invoke it again.", s.Name, d.now))
			continue
		}
		beginCommand(d, s, d.now)
		running++
		wake = earliest(wake, s.Deadline)
	}
	return wake
}

func endCommand(d *draft, s *pool.Step, status pool.StepStatus, c *pool.Cause) {
	p := paramsOf(s)
	d.end(s, status, c)
	kind, sev, text := "command.done", pool.Info, "is done"
	if status != pool.StepDone {
		kind, sev, text = "command.failed", pool.Warning, string(status)
	}
	ev := d.tell(kind, sev, "%s/%d: command %s %s.", p.Service, p.Instance.Number, p.Command, text)
	ev.Service, ev.Instance, ev.Machine, ev.Step, ev.Cause, ev.By = p.Service, s.Owner, s.Machine, s.Name, c, p.By
}

// takeCommand takes what an agent said of a command, and goes on with the
// others of a rolling invocation in the same transaction.
func (e *Engine) takeCommand(ctx context.Context, key string, o pool.TaskOutcome) error {
	steps, err := e.invocationSteps(ctx, invocationOf(key))
	if err != nil {
		return err
	}
	i := slices.IndexFunc(steps, func(s *pool.Step) bool { return s.Key == key })
	if i < 0 || steps[i].Status != pool.StepRunning {
		return fmt.Errorf("%w: task %s has changed", pool.ErrConflict, key)
	}
	d := &draft{now: time.Now().UTC(), mint: mint}
	s := steps[i]
	s.Output = o.Output
	switch {
	case o.State == "done" && len(o.Result) > pool.MaxResult:
		endCommand(d, s, pool.StepFailed, cause("command.result", "The command was done, but it returned more than is kept.",
			fmt.Sprintf("%s of at most %s", pool.Bytes(uint64(len(o.Result))), pool.Bytes(pool.MaxResult)), "Let it return less, or write what it has to say to a file or an attribute.", s.Name, d.now))
	case o.State == "done":
		s.Result = o.Result
		endCommand(d, s, pool.StepDone, nil)
	case o.State == "interrupted":
		endCommand(d, s, pool.StepInterrupted, cause("command.interrupted", "The machine or its agent ended while the command ran; nobody knows how far it came.",
			"", "Look at the service, then invoke it again if that is right.", s.Name, d.now))
	default:
		c := o.Cause
		if c == nil {
			c = cause("command.failed", "The command failed.", o.Output, "Read its output.", s.Name, d.now)
		}
		c.Step, c.At = s.Name, d.now
		endCommand(d, s, pool.StepFailed, c)
	}
	planInvocation(d, steps)
	return e.apply(ctx, d)
}

// resumeCommands gives each open invocation a tick.
func (e *Engine) resumeCommands(ctx context.Context) error {
	open, err := e.Store.OpenCommands(ctx)
	if err != nil {
		return err
	}
	for _, s := range open {
		e.q.add("c:" + invocationOf(s.Key))
	}
	return nil
}

// extendCommands moves the deadlines of commands that wait for their turn.
func (e *Engine) extendCommands(ctx context.Context, by time.Duration) error {
	open, err := e.Store.OpenCommands(ctx)
	if err != nil {
		return err
	}
	for _, s := range open {
		if s.Status != pool.StepPending {
			continue
		}
		s.Deadline = s.Deadline.Add(by)
		if err := e.Store.Apply(ctx, &pool.Change{Steps: []*pool.Step{&s}}); err != nil && !errors.Is(err, pool.ErrConflict) {
			return err
		}
	}
	return nil
}
