package pool

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// Sentence says in one plain sentence what a machine is doing, or why it
// does nothing. Op is its open operation, else its last one, else nil;
// service is the name of the service that owns it, if that is known.
func Sentence(m Machine, op *Operation, live LiveState, service string, now time.Time) string {
	switch {
	case op != nil && op.Status.Open():
		return opSentence(m, op, live, now)
	case m.Conditions.Is(CondBroken):
		return brokenSentence(m, op)
	}
	switch m.Phase {
	case Discovered:
		if m.Facts == nil {
			if live.Agent == InRAM {
				return "Its agent runs in memory and takes the inventory."
			}
			return "Seen on the network; its inventory has not come yet."
		}
		return "Waiting to be accepted; until then nothing is written to it."
	case Enrolled:
		return enrolledSentence(m)
	case Ready:
		if live.Agent == InRAM {
			return "Ready: in the pool, its agent stands by in memory."
		}
		return "Ready: in the pool."
	case Reserved:
		return "Reserved" + owner(m, service) + "; its deployment has not started."
	case Active:
		return activeSentence(m, live, service)
	case Retired:
		return "Retired: it is not used any more."
	}
	return "Nothing is known of it."
}

func owner(m Machine, service string) string {
	if service != "" {
		return " for service " + service
	}
	if m.Instance == "" {
		return ""
	}
	return " for " + m.Instance
}

func enrolledSentence(m Machine) string {
	c := m.Conditions
	switch {
	case c.Is(CondHold):
		return "Held back" + because(c[CondHold].Reason) + "; release it to use it again."
	case c.Is(CondProtected):
		return "Protected" + because(c[CondProtected].Reason) + "; release it to allow that its disks are erased."
	case m.Facts == nil:
		return "Accepted; waiting for its inventory."
	case c.Is(CondDirty):
		return "Waiting to be wiped" + because(c[CondDirty].Reason) + "."
	case c.Is(CondDrift):
		return "Its hardware changed" + because(c[CondDrift].Reason) + "; inspect it."
	}
	return "Accepted; not yet in the pool."
}

func activeSentence(m Machine, live LiveState, service string) string {
	what := "Runs " + cmp.Or(m.Image, "its own system") + owner(m, service)
	if c, ok := m.Conditions[CondAgent]; ok && c.Value == "lost" {
		return what + "; its agent was last heard at " + clock(c.Since) + "."
	}
	if live.Agent == Installed {
		return what + "."
	}
	return what + "; its agent has not reported since the appliance started."
}

func brokenSentence(m Machine, op *Operation) string {
	if op != nil && op.Cause != nil {
		text := sentenceEnd(fmt.Sprintf("%s failed: %s", title(opName(op.Kind)), op.Cause.Message))
		if op.Cause.Remedy != "" {
			text += " " + sentenceEnd(op.Cause.Remedy)
		}
		return text
	}
	return "Its last operation failed" + because(m.Conditions[CondBroken].Reason) + "."
}

// opSentence is for a machine on which something runs.
func opSentence(m Machine, op *Operation, live LiveState, now time.Time) string {
	by := ""
	if !op.CancelAsked.IsZero() {
		by = " Cancelled: it stops at the next safe point."
	}
	switch {
	case op.Status == Queued:
		return title(opName(op.Kind)) + " is about to start." + by
	case op.Waiting == WaitSlot:
		return title(opName(op.Kind)) + " waits for its turn." + by
	case op.Waiting == WaitOperator:
		if op.Cause != nil {
			return sentenceEnd(op.Cause.Message) + " " + sentenceEnd(cmp.Or(op.Cause.Remedy, "A person has to decide"))
		}
		return fmt.Sprintf("%s waits for a person: %s.", title(opName(op.Kind)), operatorWish(op))
	case op.Waiting == WaitBMC:
		return "Waiting for the BMC" + bmcAt(m) + silence(m, CondBMC, now) + left(op, now) + "." + by
	case op.Waiting == WaitBoot:
		return "Booting" + since(op, now) + "; waiting for its agent" + left(op, now) + "." + by
	}
	text := stepName(op)
	if op.Attempt > 1 {
		text += fmt.Sprintf(" (try %d)", op.Attempt)
	}
	if p := live.Progress; p != nil && op.Waiting == WaitNothing {
		text += progress(*p, op, now)
	}
	if op.Waiting == WaitAgent && live.Agent == "" {
		text += "; waiting for its agent"
	}
	return text + left(op, now) + "." + by
}

// progress adds how far the step is, and how long the rest takes at this pace.
func progress(p Progress, op *Operation, now time.Time) string {
	text := ""
	if p.Detail != "" {
		text = " " + p.Detail
	}
	percent := p.Percent()
	switch {
	case percent < 0 && p.Unit == "bytes" && p.Done > 0:
		return text + ", " + Bytes(uint64(p.Done))
	case percent < 0:
		return text
	}
	text += fmt.Sprintf(", %d %%", percent)
	took := now.Sub(op.Heartbeat)
	if op.Heartbeat.IsZero() || percent < 2 || percent == 100 || took <= 0 {
		return text
	}
	rest := time.Duration(float64(took) * float64(p.Total-p.Done) / float64(p.Done))
	return text + ", " + Span(rest) + " left"
}

// left says how long the operation may still take, when that is soon.
func left(op *Operation, now time.Time) string {
	rest := op.Deadline.Sub(now)
	switch {
	case op.Deadline.IsZero() || rest > 10*time.Minute:
		return ""
	case rest <= 0:
		return "; its time is over"
	}
	return "; it gives up in " + Span(rest)
}

func since(op *Operation, now time.Time) string {
	at := op.StartedAt
	if op.Heartbeat.After(at) {
		at = op.Heartbeat
	}
	if at.IsZero() || now.Sub(at) < time.Second {
		return ""
	}
	return " for " + Span(now.Sub(at))
}

func silence(m Machine, t ConditionType, now time.Time) string {
	c, ok := m.Conditions[t]
	if !ok || c.Value != "unreachable" {
		return ""
	}
	return ": no answer for " + Span(now.Sub(c.Since))
}

func bmcAt(m Machine) string {
	if m.BMC == nil || !m.BMC.Address.IsValid() {
		return ""
	}
	return " at " + m.BMC.Address.String()
}

func operatorWish(op *Operation) string {
	switch op.Step {
	case "power-on", "reboot", "standby":
		return "switch the machine on, or restart it, so that it boots from the network"
	case "power-off":
		return "switch the machine off"
	}
	return "step " + cmp.Or(op.Step, string(op.Kind)) + " needs a decision"
}

// stepName is what a step is called while it runs.
func stepName(op *Operation) string {
	image := cmp.Or(op.Params.Image, "the image")
	switch op.Step {
	case "trust":
		return "Giving its agent a certificate"
	case "bmc-user":
		return "Making the appliance's own BMC user"
	case "bmc-check":
		return "Checking the BMC"
	case "facts":
		return "Taking the inventory"
	case "wipe":
		return "Erasing its disks"
	case "boot-device":
		return "Setting the boot device to the network"
	case "power-off":
		return "Switching it off"
	case "power-on":
		return "Switching it on"
	case "standby":
		return "Booting the agent from the network"
	case "image":
		return "Writing " + image
	case "boot-disk":
		return "Setting the boot device to the disk"
	case "reboot":
		return "Restarting into its disk"
	case "system":
		return "Starting " + image + " from its disk"
	case "":
		return title(opName(op.Kind)) + " runs"
	}
	return title(opName(op.Kind)) + " runs step " + op.Step
}

func opName(k OpKind) string {
	switch k {
	case OpEnrol:
		return "enrolment"
	case OpAdopt:
		return "adoption"
	case OpInspect:
		return "inspection"
	case OpTest:
		return "test"
	case OpConfigure:
		return "configuration"
	case OpWipe:
		return "wipe"
	case OpDeploy:
		return "deployment"
	case OpRelease:
		return "release"
	case OpRescue:
		return "rescue"
	case OpUpdate:
		return "update"
	case OpPower:
		return "power switching"
	case OpFence:
		return "fencing"
	case OpRetire:
		return "retirement"
	}
	return string(k)
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + strings.TrimRight(reason, ".")
}

func title(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func sentenceEnd(s string) string {
	s = strings.TrimSpace(s)
	if s == "" || strings.HasSuffix(s, ".") || strings.HasSuffix(s, "?") || strings.HasSuffix(s, "!") {
		return s
	}
	return s + "."
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05 UTC") }

// Span writes a duration as people say it: 40 s, 3 min, 2 h 5 min.
func Span(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours())/24)
}

// ServiceSentence says in one plain sentence how a service is. Machines maps
// instance IDs to the names of their machines.
func ServiceSentence(s Service, instances []Instance, machines map[string]string) string {
	running, busy := 0, ""
	for _, in := range instances {
		switch {
		case in.Phase == InstanceRunning:
			running++
		case in.Phase == InstanceFailed:
			if s.Cause == nil && in.Cause != nil {
				return sentenceEnd(fmt.Sprintf("Instance %d failed: %s", in.Number, in.Cause.Message)) + " " + sentenceEnd(in.Cause.Remedy)
			}
		case in.Phase != InstanceRemoved && busy == "":
			busy = instanceSentence(in, machines[in.ID])
		}
	}
	switch {
	case s.Phase == ServiceRunning:
		if running == s.Instances {
			return fmt.Sprintf("Running: %s.", plural(running, "instance"))
		}
		return fmt.Sprintf("Running: %d of %s.", running, plural(s.Instances, "instance"))
	case s.Phase == ServiceFailed:
		if s.Cause != nil {
			return strings.TrimSpace(sentenceEnd("Failed: "+s.Cause.Message) + " " + sentenceEnd(s.Cause.Remedy))
		}
		return "Failed."
	case s.Phase == ServiceRecovering:
		text := fmt.Sprintf("Recovering: %d of %s running.", running, plural(s.Instances, "instance"))
		if s.Cause != nil {
			return strings.TrimSpace(text + " " + sentenceEnd(s.Cause.Message) + " " + sentenceEnd(s.Cause.Remedy))
		}
		return strings.TrimSpace(text + " " + busy)
	case s.Phase == ServiceRemoved:
		return "Removed."
	case s.Phase == ServiceRemoving:
		return strings.TrimSpace("Being removed. " + busy)
	}
	return strings.TrimSpace(fmt.Sprintf("Being deployed: %d of %s running. %s", running, plural(s.Instances, "instance"), busy))
}

func instanceSentence(in Instance, machine string) string {
	at := ""
	if machine != "" {
		at = " on " + machine
	}
	if in.Step == "" {
		return fmt.Sprintf("Instance %d is %s%s.", in.Number, in.Phase, at)
	}
	return fmt.Sprintf("Instance %d is %s%s: %s.", in.Number, in.Phase, at, in.Step)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
