package orchestrator

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"appliance/pool"
)

// byRules is who decides when rules do.
const byRules = "scaling rules"

// scaleView is all that a decision of the scaling rules may look at.
type scaleView struct {
	now       time.Time
	svc       pool.Service
	instances []pool.Instance // of the service
	samples   func(instance, monitor string, since time.Time) []pool.Sample
}

// held says why nothing is decided now, whatever the rules say; empty: nothing
// is in the way.
func (v scaleView) held() string {
	live := 0
	for _, in := range v.instances {
		switch in.Phase {
		case pool.InstanceRemoved:
			continue
		case pool.InstanceRunning:
			live++
		default:
			return fmt.Sprintf("instance %d is %s: nothing is scaled while instances change", in.Number, in.Phase)
		}
	}
	switch {
	case v.svc.Maintenance.Holds(v.now):
		return "the service is in maintenance"
	case v.svc.Rollout.Open():
		return "its revision is being changed"
	case v.svc.Phase != pool.ServiceRunning:
		return "the service is " + string(v.svc.Phase)
	case live != v.svc.Instances:
		return fmt.Sprintf("%d of %s run: nothing is scaled while instances change", live, plural(v.svc.Instances, "instance"))
	}
	if until := cooldown(v.svc); v.now.Before(until) {
		return "cooling down until " + until.Format("15:04:05 UTC")
	}
	return ""
}

// cooldown is until when the rules of a service rest: counted from when its
// last change had settled.
func cooldown(svc pool.Service) time.Time {
	at := svc.ScaleSettled
	if at.IsZero() {
		return at
	}
	switch svc.Scaled {
	case pool.ScaleOut:
		return at.Add(svc.Recipe.Scaling.OutCooldown)
	case pool.ScaleIn:
		return at.Add(svc.Recipe.Scaling.InCooldown)
	case pool.ScaleHeld, pool.ScaleNone:
	}
	return time.Time{}
}

// decide is the decision of a service's rules now. It is pure. Beyond one high
// threshold the service grows, by the smallest increase of all rules that are
// beyond theirs, below a low one it shrinks; never both, never past its bounds.
func decide(v scaleView) pool.ScalingDecision {
	d := pool.ScalingDecision{Service: v.svc.Name, At: v.now, By: byRules, Action: pool.ScaleNone, From: v.svc.Instances, To: v.svc.Instances}
	var high, low []pool.RuleNumbers
	for _, r := range v.svc.Recipe.Scaling.Rules {
		n := v.numbers(r)
		d.Numbers = append(d.Numbers, n)
		switch {
		case n.Verdict == "high" && r.High.By > 0:
			high = append(high, n)
		case n.Verdict == "low" && r.Low.By > 0:
			low = append(low, n)
		}
	}
	hold := func(why string) pool.ScalingDecision {
		d.Action, d.To, d.Why = pool.ScaleHeld, d.From, why
		return d
	}
	switch {
	case len(high) == 0 && len(low) == 0:
		d.Why = "no rule asks for a change"
		return d
	case v.held() != "":
		return hold(v.held())
	case len(high) > 0 && len(low) > 0:
		return hold("conflict: " + said(high, "above") + ", but " + said(low, "below"))
	}
	least, most := bounds(v.svc)
	if len(high) > 0 {
		by := smallest(high, func(n pool.RuleNumbers) int { return n.Rule.High.By })
		d.To, d.Why = min(d.From+by, most), said(high, "above")
		if d.To <= d.From {
			return hold("at its maximum of " + plural(most, "instance") + ", although " + d.Why)
		}
		d.Action = pool.ScaleOut
		return d
	}
	by := smallest(low, func(n pool.RuleNumbers) int { return n.Rule.Low.By })
	d.To, d.Why = max(d.From-by, least), said(low, "below")
	if d.To >= d.From {
		d.To, d.Why = d.From, "at its minimum of "+plural(least, "instance")
		return d
	}
	d.Action = pool.ScaleIn
	return d
}

// bounds are the fewest and most instances that a service may have.
func bounds(svc pool.Service) (least, most int) {
	least = max(svc.Recipe.Min, 1)
	return least, max(svc.Recipe.Max, least)
}

func smallest(list []pool.RuleNumbers, by func(pool.RuleNumbers) int) int {
	n := math.MaxInt
	for _, r := range list {
		n = min(n, by(r))
	}
	return n
}

// said tells the numbers of rules: "Sessions 2.5 is above 1.9".
func said(list []pool.RuleNumbers, side string) string {
	var parts []string
	for _, n := range list {
		t := n.Rule.High
		if side == "below" {
			t = n.Rule.Low
		}
		parts = append(parts, fmt.Sprintf("%s %s is %s %s", n.Rule.Metric, short(n.Value), side, short(t.Value)))
	}
	return strings.Join(parts, " and ")
}

func short(f float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.3f", f), "0"), ".")
}

// numbers evaluates one rule.
func (v scaleView) numbers(r pool.ScalingRule) pool.RuleNumbers {
	out := pool.RuleNumbers{Rule: r}
	since := v.now.Add(-r.Window)
	var values []float64
	missing := 0
	for _, in := range v.instances {
		if in.Phase != pool.InstanceRunning {
			continue
		}
		list := v.samples(in.ID, r.Metric, since)
		if r.Window <= v.svc.Recipe.Scaling.Sampling && len(list) == 0 {
			// A window that is shorter than the period holds the last sample.
			list = v.samples(in.ID, r.Metric, v.now.Add(-v.svc.Recipe.Scaling.Sampling-lookTime))
			list = list[max(0, len(list)-1):]
		}
		n := pool.InstanceNumber{Number: in.Number, Samples: len(list)}
		if len(list) > 0 {
			n.Latest = list[len(list)-1].At
		}
		if n.Value, n.Known = overTime(r.Time, list); n.Known {
			values = append(values, n.Value)
		} else {
			missing++
		}
		out.Instances = append(out.Instances, n)
	}
	switch {
	case len(out.Instances) == 0:
		out.Verdict = "no instance runs"
		return out
	case missing > 0:
		out.Verdict = fmt.Sprintf("waits for samples of %s", plural(missing, "instance"))
		return out
	}
	out.Value, out.Known = reduce(r.Instances, values)
	switch {
	case !out.Known:
		out.Verdict = "no value"
	case r.High != nil && out.Value > r.High.Value:
		out.Verdict = "high"
	case r.Low != nil && out.Value < r.Low.Value:
		out.Verdict = "low"
	default:
		out.Verdict = "between"
	}
	return out
}

// overTime reduces the samples of one instance, which are in order of time.
func overTime(s pool.Statistic, list []pool.Sample) (float64, bool) {
	if s.Kind != pool.StatThroughput && s.Kind != pool.StatCPU {
		values := make([]float64, len(list))
		for i, x := range list {
			values[i] = x.Value
		}
		return reduce(s, values)
	}
	if len(list) < 2 {
		return 0, false
	}
	first, last := list[0], list[len(list)-1]
	seconds := last.At.Sub(first.At).Seconds()
	rise := last.Value - first.Value
	if seconds <= 0 || rise < 0 { // a counter that fell was started again
		return 0, false
	}
	if s.Kind == pool.StatCPU {
		return rise / (seconds * 1000) * 100, true
	}
	return rise / seconds, true
}

// reduce reduces values to one; false when there is none, or no such statistic.
func reduce(s pool.Statistic, values []float64) (float64, bool) {
	if len(values) == 0 {
		return 0, false
	}
	switch s.Kind {
	case pool.StatAverage:
		mean := 0.0
		for i, v := range values { // no sum that overflows
			mean += (v - mean) / float64(i+1)
		}
		return mean, true
	case pool.StatMinimum:
		return slices.Min(values), true
	case pool.StatMaximum:
		return slices.Max(values), true
	case pool.StatPercentile:
		sorted := slices.Sorted(slices.Values(values))
		rank := int(math.Ceil(s.Percentile / 100 * float64(len(sorted)))) // nearest rank
		return sorted[min(max(rank, 1), len(sorted))-1], true
	case pool.StatThroughput, pool.StatCPU:
	}
	return 0, false
}
