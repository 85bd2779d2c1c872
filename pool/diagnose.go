package pool

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// BootRule is one thing that a silent or broken boot can be diagnosed as. A
// rule is data: what must have been seen, and what that means. Of the rules of
// BootRules that fit, the first counts.
type BootRule struct {
	ID     string      `json:"id"`
	After  []BootStage `json:"after"`            // the last stage seen is one of these
	Code   BootCode    `json:"code,omitempty"`   // of the last event; empty: it did not fail
	Class  []string    `json:"class,omitempty"`  // the client's class is one of these; none: any
	Detail string      `json:"detail,omitempty"` // a part of the last event's detail
	Had    []BootStage `json:"had,omitempty"`    // all were seen in this boot
	Not    []BootStage `json:"not,omitempty"`    // none was seen in this boot
	Count  int         `json:"count,omitempty"`  // the last stage was seen so often, in this boot
	Block  int         `json:"block,omitempty"`  // blocks of the last transfer were this long at least
	Bytes  string      `json:"bytes,omitempty"`  // of the last transfer: "none", "some"; empty: any
	// Wait is how long the stage may last before the boot counts as silent. What
	// was learned of the model takes its place.
	Wait time.Duration `json:"wait"`
	// Says is what happened, Causes what usually is behind it, Do what to do.
	// {detail} {ip} {block} {bytes} {count} stand for the last event's.
	Says   string `json:"says"`
	Causes string `json:"causes"`
	Do     string `json:"do"`
}

// Diagnosis is why a boot has not arrived.
type Diagnosis struct {
	Rule   string        `json:"rule"`
	Stage  BootStage     `json:"stage"` // the last one seen
	Since  time.Time     `json:"since"`
	Quiet  time.Duration `json:"quiet"`
	Wait   time.Duration `json:"wait"` // how long the stage may last
	Says   string        `json:"says"`
	Causes string        `json:"causes"`
	Do     string        `json:"do"`
}

// Sentence is the diagnosis as one text.
func (d Diagnosis) Sentence() string {
	do := d.Do
	if do != "" && do[0] >= 'a' && do[0] <= 'z' && !strings.HasPrefix(do, "appliance ") {
		do = strings.ToUpper(do[:1]) + do[1:]
	}
	return fmt.Sprintf("Silent for %s: %s; %s. %s", Span(d.Quiet), d.Says, d.Causes, sentenceEnd(do))
}

// Explain says why a boot is silent, or false while it is going on or where it
// has arrived. times is what was learned of the machine's model; nil is nothing.
func Explain(b Boot, now time.Time, times map[BootStage]StageTime) (Diagnosis, bool) {
	events := slices.DeleteFunc(slices.Clone(b.Events), func(e BootEvent) bool { return e.Stage == StageSilent })
	if len(events) == 0 {
		return Diagnosis{}, false
	}
	last := events[len(events)-1]
	rules := BootRules()
	i := slices.IndexFunc(rules, func(r BootRule) bool { return r.fits(events) })
	if i < 0 {
		return Diagnosis{}, false
	}
	r := rules[i]
	d := Diagnosis{
		Rule: r.ID, Stage: last.Stage, Since: last.At, Quiet: now.Sub(last.At), Wait: r.Wait,
		Says: r.fill(r.Says, events), Causes: r.fill(r.Causes, events), Do: r.fill(r.Do, events),
	}
	if !last.Failed && last.Code == "" {
		d.Wait = learned(r.After[0], r.Wait, times)
	}
	return d, d.Quiet >= d.Wait
}

// Diagnose is Explain in one text, by what is true of every model.
func Diagnose(b Boot, now time.Time) string {
	d, silent := Explain(b, now, nil)
	if !silent {
		return ""
	}
	return d.Sentence()
}

// fits says whether events, of which the last is what the rule looks at, are
// what the rule speaks of.
func (r BootRule) fits(events []BootEvent) bool {
	last := events[len(events)-1]
	seen := func(s BootStage) bool {
		return slices.ContainsFunc(events, func(e BootEvent) bool { return e.Stage == s })
	}
	switch {
	case !slices.Contains(r.After, last.Stage), r.Code != last.Code,
		r.Class != nil && !slices.Contains(r.Class, classOf(events)),
		r.Detail != "" && !strings.Contains(strings.ToLower(last.Detail), r.Detail),
		slices.ContainsFunc(r.Had, func(s BootStage) bool { return !seen(s) }), slices.ContainsFunc(r.Not, seen),
		r.Count > count(events), last.Block < r.Block,
		r.Bytes == "none" && last.Bytes > 0, r.Bytes == "some" && last.Bytes == 0:
		return false
	}
	return true
}

// count is how often the last event's stage was seen with its code.
func count(events []BootEvent) (n int) {
	last := events[len(events)-1]
	for _, e := range events {
		if e.Stage == last.Stage && e.Code == last.Code {
			n++
		}
	}
	return n
}

// classOf is the class of the client that asked DHCP last.
func classOf(events []BootEvent) string {
	for _, e := range slices.Backward(events) {
		if e.Class != "" {
			return e.Class
		}
	}
	return ""
}

func (r BootRule) fill(text string, events []BootEvent) string {
	last := events[len(events)-1]
	ip := "an address"
	if last.Address.IsValid() {
		ip = last.Address.String()
	}
	return strings.NewReplacer("{detail}", last.Detail, "{ip}", ip, "{block}", strconv.Itoa(last.Block),
		"{bytes}", strconv.FormatInt(last.Bytes, 10), "{count}", strconv.Itoa(count(events))).Replace(text)
}

// learned is how long a stage may last on a model: twice the longest of late
// until one of the stages that follow it, within bounds.
func learned(s BootStage, wait time.Duration, times map[BootStage]StageTime) time.Duration {
	var longest time.Duration
	for _, next := range successors(s) {
		if t := times[next]; t.Count >= 3 {
			longest = max(longest, t.Max)
		}
	}
	if longest == 0 {
		return wait
	}
	return min(max(2*longest+5*time.Second, 10*time.Second), 3*wait)
}

// successors lists the stages that can come directly after one.
func successors(s BootStage) []BootStage {
	switch s {
	case StagePower:
		return []BootStage{StageDiscover, StageLease, StageIPXE}
	case StageDiscover:
		return []BootStage{StageLease}
	case StageLease:
		return []BootStage{StageNBP}
	case StageNBP:
		return []BootStage{StageIPXE, StageScript, StageNBP}
	case StageIPXE:
		return []BootStage{StageScript}
	case StageScript:
		return []BootStage{StageKernel}
	case StageKernel:
		return []BootStage{StageExtra, StageInitrd}
	case StageExtra:
		return []BootStage{StageInitrd, StageAgentIP}
	case StageInitrd:
		return []BootStage{StageAgentIP, StageExtra}
	case StageAgentIP:
		return []BootStage{StageHello}
	case StageHello:
		return []BootStage{StageFacts}
	case StageLocal:
		return []BootStage{StageOS}
	case StageFacts, StageStep, StageOS, StageSilent, StageError, StageDHCP:
	}
	return nil
}
