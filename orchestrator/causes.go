package orchestrator

import (
	"errors"
	"fmt"
	"time"

	"appliance/pool"
)

// cause makes a Cause for a step.
func cause(code, message, evidence, remedy, step string, now time.Time) *pool.Cause {
	return &pool.Cause{Code: code, Message: message, Evidence: evidence, Remedy: remedy, Step: step, At: now}
}

// tried lists what was done about a step already.
func tried(s *pool.Step) []string {
	if s.Attempt < 2 {
		return nil
	}
	return []string{fmt.Sprintf("%s was tried %d times", s.Name, s.Attempt)}
}

// overdue says why a step that passed its deadline failed.
func overdue(s *pool.Step, m pool.Machine, now time.Time) *pool.Cause {
	since := s.StartedAt
	if since.IsZero() {
		since = s.Deadline.Add(-s.Timeout)
	}
	waited := now.Sub(since).Round(time.Second)
	ev := fmt.Sprintf("step %s started at %s, its deadline was %s", s.Name, since.UTC().Format(time.RFC3339), s.Deadline.UTC().Format(time.RFC3339))
	if a, ok := m.Conditions[pool.CondAgent]; ok {
		ev += fmt.Sprintf("; agent %s since %s", a.Value, a.Since.UTC().Format(time.RFC3339))
	}
	if p, ok := m.Conditions[pool.CondPower]; ok {
		ev += "; power " + p.Value
	}
	c := cause("step.timeout", fmt.Sprintf("Step %s of %s did not end within %s.", s.Name, m.Name, waited), ev,
		"Look at its output, then retry.", s.Name, now)
	switch {
	case s.Name == stepStandby || s.Name == stepTrust:
		c.Code = "boot.silent"
		c.Message = fmt.Sprintf("%s did not start the agent from the network within %s.", m.Name, waited)
		c.Remedy = "Look at its boot timeline: the last stage it reached names the likely reason. Check that the network is first in its boot order, then retry."
	case s.Name == stepSwitchOn:
		c.Code = "operator.silent"
		c.Message = fmt.Sprintf("%s has no BMC and nobody switched it on within %s.", m.Name, waited)
		c.Remedy = "Switch it on, then retry."
	case s.Name == stepSystem:
		c.Code = "system.silent"
		c.Message = fmt.Sprintf("The system installed on %s did not report within %s.", m.Name, waited)
		c.Remedy = "Look at its console: it may not boot from its disk, or have no network. Then retry, which writes the image again."
		if m.Driver.Or() == pool.DriverSSH {
			c.Message = fmt.Sprintf("The agent that was put on %s did not report within %s.", m.Name, waited)
			c.Remedy = "Check that the host reaches the appliance's HTTPS address; its agent's log is beside it. Then retry."
		}
	case s.Executor == pool.ByAgent && s.BootID == "":
		c.Code = "agent.silent"
		c.Message = fmt.Sprintf("The agent on %s did not ask for step %s within %s.", m.Name, s.Name, waited)
		c.Remedy = "Power-cycle the machine, then retry."
	case opSpec(s.Name).driver:
		c.Code = "driver.timeout"
		c.Message = fmt.Sprintf("Step %s of %s did not end within %s.", s.Name, m.Name, waited)
		c.Remedy = "Check that the host answers, then retry."
	case s.Executor == pool.ByAppliance:
		c.Code = "bmc.timeout"
		c.Message = fmt.Sprintf("The BMC of %s did not finish %s within %s.", m.Name, s.Name, waited)
		c.Remedy = "Check that the BMC answers from the appliance's network, then retry."
	}
	c.Tried = tried(s)
	return c
}

// opOverdue says why an operation that passed its deadline failed.
func opOverdue(op *pool.Operation, m pool.Machine, now time.Time) *pool.Cause {
	return cause("operation.timeout", fmt.Sprintf("Operation %s on %s did not end by its deadline.", op.Kind, m.Name),
		fmt.Sprintf("it started at %s and was at step %s", op.StartedAt.UTC().Format(time.RFC3339), op.Step),
		"Look at the machine's log, then retry.", op.Step, now)
}

// codeOf returns the code that an error of Power carries.
func codeOf(err error) string {
	var c interface{ Code() string }
	if errors.As(err, &c) {
		return c.Code()
	}
	return "bmc.error"
}

// powerCause says why a step that goes through the BMC failed.
func powerCause(err error, s *pool.Step, m pool.Machine, now time.Time) *pool.Cause {
	code := codeOf(err)
	where := "its BMC"
	if m.BMC != nil {
		where = "its BMC at " + m.BMC.Address.String()
		if m.BMC.Host != "" {
			where = "libvirt of hypervisor " + m.BMC.Host
		}
	}
	c := cause(code, fmt.Sprintf("Step %s of %s failed at %s.", s.Name, m.Name, where), err.Error(),
		"Look at the evidence, then retry.", s.Name, now)
	switch code {
	case codeUnreachable:
		c.Message = fmt.Sprintf("%s does not answer: step %s of %s was given up.", where, s.Name, m.Name)
		c.Remedy = "Check the BMC's cable, address and VLAN, then retry."
	case codeAuth:
		c.Message = fmt.Sprintf("%s refuses the appliance's user: step %s of %s was given up.", where, s.Name, m.Name)
		c.Remedy = "Somebody changed or removed the user appliance on the BMC. Release, or retire and enrol the machine again, so that it is made anew."
	case codeUnsupported:
		c.Message = fmt.Sprintf("%s does not support step %s of %s.", where, s.Name, m.Name)
		c.Remedy = "Use the machine's own power button or console, then retry."
	case codeIdentity:
		c.Message = fmt.Sprintf("Another BMC than that of %s answers at its address; it was not switched.", m.Name)
		c.Remedy = "Find out which machine has that address now. Give the BMC its address back, or start the machine by hand and inspect it: that reads the BMC's address anew. Then retry."
	case codePower:
		c.Message = fmt.Sprintf("%s took the order, but the power of %s did not follow: step %s was given up.", where, m.Name, s.Name)
		c.Remedy = "Look at the machine: its system may ignore a soft switch-off, or its power supply may have failed. Switch it off or on by hand, then retry."
	}
	c.Tried = tried(s)
	return c
}

// driverCause says why a step that the machine's driver carried out failed,
// and whether it is of no use to try again.
func driverCause(err error, s *pool.Step, m pool.Machine, now time.Time) (c *pool.Cause, permanent bool) {
	var known *pool.Cause
	if errors.As(err, &known) {
		k := *known
		c = &k
	} else {
		c = cause("driver.failed", fmt.Sprintf("Step %s of %s failed.", s.Name, m.Name), err.Error(), "Look at the evidence, then retry.", s.Name, now)
	}
	c.Step, c.At, c.Tried = s.Name, now, tried(s)
	switch c.Code {
	case "host.auth", "host.key", "host.kind", "host.route", "agent.missing", "image.missing", "hypervisor.none":
		return c, true
	}
	return c, errors.Is(err, pool.ErrInvalid)
}

// Codes that errors of Power carry.
const (
	codeUnreachable = "bmc.unreachable"
	codeAuth        = "bmc.auth"
	codeUnsupported = "bmc.unsupported"
	codeIdentity    = "bmc.identity" // another BMC answers: it is never switched
	codePower       = "bmc.power"    // the order was taken, the power did not follow
)

// taskCause completes what an agent said of a failed task.
func taskCause(o pool.TaskOutcome, s *pool.Step, m pool.Machine, now time.Time) *pool.Cause {
	c := pool.Cause{Code: "task.failed", Message: fmt.Sprintf("Step %s failed on %s.", s.Name, m.Name)}
	if o.Cause != nil {
		c = *o.Cause
	}
	if c.Code == "" {
		c.Code = "task.failed"
	}
	if c.Message == "" {
		c.Message = fmt.Sprintf("Step %s failed on %s.", s.Name, m.Name)
	}
	if c.Remedy == "" {
		c.Remedy = "Look at the step's output, then retry."
	}
	if c.Evidence == "" {
		c.Evidence = o.Output
	}
	c.Step, c.At = s.Name, now
	c.Tried = append(c.Tried, tried(s)...)
	return &c
}

// undecided says that nobody knows how a step ended.
func undecided(s *pool.Step, m pool.Machine, now time.Time) *pool.Cause {
	return cause("step.interrupted", fmt.Sprintf("Step %s on %s was cut off, and nobody knows how far it came.", s.Name, m.Name),
		"the machine was restarted while it ran", "Look at the machine; then retry to run the step again, or cancel.", s.Name, now)
}

// notYet refuses an operation that a later version brings.
func notYet(k pool.OpKind) error {
	return fmt.Errorf("%w: operation %s comes with a later version", pool.ErrInvalid, k)
}
