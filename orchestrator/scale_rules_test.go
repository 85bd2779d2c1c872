package orchestrator

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"appliance/pool"
)

func at(seconds int) time.Time {
	return time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC).Add(time.Duration(seconds) * time.Second)
}

func samplesOf(values ...float64) []pool.Sample {
	var out []pool.Sample
	for i, v := range values {
		out = append(out, pool.Sample{At: at(i * 10), Value: v})
	}
	return out
}

func TestOverTime(t *testing.T) {
	stat := func(k pool.StatisticKind) pool.Statistic { return pool.Statistic{Kind: k} }
	for _, tt := range []struct {
		name string
		s    pool.Statistic
		in   []pool.Sample
		want float64
		ok   bool
	}{
		{"none", stat(pool.StatAverage), nil, 0, false},
		{"average", stat(pool.StatAverage), samplesOf(1, 2, 6), 3, true},
		{"minimum", stat(pool.StatMinimum), samplesOf(4, 2, 6), 2, true},
		{"maximum", stat(pool.StatMaximum), samplesOf(4, 9, 6), 9, true},
		{"median", pool.Statistic{Kind: pool.StatPercentile, Percentile: 50}, samplesOf(9, 1, 5), 5, true},
		{"percentile 90 of ten", pool.Statistic{Kind: pool.StatPercentile, Percentile: 90}, samplesOf(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), 9, true},
		{"percentile 0", pool.Statistic{Kind: pool.StatPercentile}, samplesOf(3, 1, 2), 1, true},
		{"throughput is the rise a second", stat(pool.StatThroughput), samplesOf(100, 150, 300), 10, true},
		{"throughput of one sample", stat(pool.StatThroughput), samplesOf(100), 0, false},
		{"throughput of a counter that began anew", stat(pool.StatThroughput), samplesOf(100, 5), 0, false},
		{"CPU: 5 s in 20 s", stat(pool.StatCPU), samplesOf(1000, 3500, 6000), 25, true},
		{"no such statistic", stat("sum"), samplesOf(1), 0, false},
		{"sums that overflow", stat(pool.StatAverage), samplesOf(math.MaxFloat64, math.MaxFloat64), math.MaxFloat64, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := overTime(tt.s, tt.in); got != tt.want || ok != tt.ok {
				t.Errorf("%v, %v; want %v, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

// scaled is a view of a service with n running instances that all have the
// given value of metric a, and of metric b.
func scaled(n int, a, b float64, rules ...pool.ScalingRule) scaleView {
	v := scaleView{now: at(100), svc: pool.Service{Name: "web", Phase: pool.ServiceRunning, Instances: n, Recipe: pool.RecipeInfo{Name: "web", Elastic: true, Min: 1, Max: 5,
		Scaling: pool.Scaling{Sampling: 10 * time.Second, OutCooldown: time.Minute, InCooldown: 2 * time.Minute, Rules: rules}}}}
	for i := 1; i <= n; i++ {
		v.instances = append(v.instances, pool.Instance{ID: fmt.Sprintf("in-%d", i), Number: i, Phase: pool.InstanceRunning})
	}
	v.samples = func(_, monitor string, since time.Time) []pool.Sample {
		value := map[string]float64{"a": a, "b": b}[monitor]
		if since.After(at(95)) || monitor == "none" {
			return nil
		}
		return []pool.Sample{{At: at(95), Value: value}}
	}
	return v
}

func rule(metric string, high, low float64, up, down int) pool.ScalingRule {
	average := pool.Statistic{Kind: pool.StatAverage}
	return pool.ScalingRule{Metric: metric, Window: 30 * time.Second, Time: average, Instances: average,
		High: &pool.Threshold{Value: high, By: up}, Low: &pool.Threshold{Value: low, By: down}}
}

func TestDecide(t *testing.T) {
	a, b := rule("a", 10, 3, 2, 1), rule("b", 10, 3, 1, 2)
	for _, tt := range []struct {
		name   string
		v      scaleView
		change func(*scaleView)
		action pool.ScaleAction
		to     int
		why    string
	}{
		{name: "between", v: scaled(2, 5, 5, a), action: pool.ScaleNone, to: 2, why: "no rule"},
		{name: "at the high threshold is not above", v: scaled(2, 10, 5, a), action: pool.ScaleNone, to: 2},
		{name: "at the low threshold is not below", v: scaled(2, 3, 5, a), action: pool.ScaleNone, to: 2},
		{name: "high", v: scaled(2, 10.5, 5, a), action: pool.ScaleOut, to: 4, why: "a 10.5 is above 10"},
		{name: "low", v: scaled(2, 2, 5, a), action: pool.ScaleIn, to: 1, why: "a 2 is below 3"},
		{name: "several high: the smallest increase", v: scaled(2, 11, 11, a, b), action: pool.ScaleOut, to: 3, why: "and b 11"},
		{name: "several low: the smallest decrease", v: scaled(4, 1, 1, a, b), action: pool.ScaleIn, to: 3},
		{name: "conflict", v: scaled(2, 11, 1, a, b), action: pool.ScaleHeld, to: 2, why: "conflict: a 11 is above 10, but b 1 is below 3"},
		{name: "clamped at the maximum", v: scaled(4, 11, 5, a), action: pool.ScaleOut, to: 5},
		{name: "at the maximum", v: scaled(5, 11, 5, a), action: pool.ScaleHeld, to: 5, why: "at its maximum of 5 instances"},
		{name: "clamped at the minimum", v: scaled(2, 5, 1, b), action: pool.ScaleIn, to: 1},
		{name: "at the minimum, silently", v: scaled(1, 1, 5, a), action: pool.ScaleNone, to: 1, why: "at its minimum"},
		{name: "increase 0 is off", v: scaled(2, 11, 5, rule("a", 10, 3, 0, 1)), action: pool.ScaleNone, to: 2},
		{name: "decrease 0 is off", v: scaled(2, 1, 5, rule("a", 10, 3, 1, 0)), action: pool.ScaleNone, to: 2},
		{name: "no samples", v: scaled(2, 5, 5, rule("none", 10, 3, 1, 1)), action: pool.ScaleNone, to: 2},
		{name: "an instance comes", v: scaled(2, 11, 5, a), change: func(v *scaleView) { v.instances[1].Phase = pool.InstanceStarting },
			action: pool.ScaleHeld, to: 2, why: "instance 2 is starting"},
		{name: "an instance is missing", v: scaled(2, 11, 5, a), change: func(v *scaleView) { v.svc.Instances = 3 }, action: pool.ScaleHeld, to: 3, why: "2 of 3 instances run"},
		{name: "the service failed", v: scaled(2, 11, 5, a), change: func(v *scaleView) { v.svc.Phase = pool.ServiceFailed }, action: pool.ScaleHeld, to: 2, why: "failed"},
		{name: "gone instances do not count", v: scaled(2, 11, 5, a), change: func(v *scaleView) {
			v.instances = append(v.instances, pool.Instance{ID: "in-9", Number: 9, Phase: pool.InstanceRemoved})
		}, action: pool.ScaleOut, to: 4},
		{name: "cooling down after more", v: scaled(2, 11, 5, a), change: func(v *scaleView) { v.svc.Scaled, v.svc.ScaleSettled = pool.ScaleOut, at(41) },
			action: pool.ScaleHeld, to: 2, why: "cooling down until 12:01:41 UTC"},
		{name: "cooled down after more", v: scaled(2, 11, 5, a), change: func(v *scaleView) { v.svc.Scaled, v.svc.ScaleSettled = pool.ScaleOut, at(40) }, action: pool.ScaleOut, to: 4},
		{name: "cooling down after fewer", v: scaled(2, 11, 5, a), change: func(v *scaleView) { v.svc.Scaled, v.svc.ScaleSettled = pool.ScaleIn, at(-19) },
			action: pool.ScaleHeld, to: 2, why: "cooling"},
		{name: "a window shorter than the period holds the last sample", v: scaled(2, 11, 5, a),
			change: func(v *scaleView) { v.svc.Recipe.Scaling.Rules[0].Window = time.Second }, action: pool.ScaleOut, to: 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.change != nil {
				tt.change(&tt.v)
			}
			d := decide(tt.v)
			if d.Action != tt.action || d.To != tt.to || !strings.Contains(d.Why, tt.why) {
				t.Errorf("decide = %s to %d: %s; want %s to %d: %s", d.Action, d.To, d.Why, tt.action, tt.to, tt.why)
			}
			if len(d.Numbers) != len(tt.v.svc.Recipe.Scaling.Rules) {
				t.Errorf("%d rules have numbers", len(d.Numbers))
			}
		})
	}
}

// Whatever the rules and samples: never past the bounds, never both ways, only
// when nothing changes, and by no more than what some rule that fired asks for.
func TestDecideProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.Float64Range(-20, 20)
		var rules []pool.ScalingRule
		for range rapid.IntRange(1, 4).Draw(t, "rules") {
			low := values.Draw(t, "low")
			r := rule(rapid.SampledFrom([]string{"a", "b", "none"}).Draw(t, "metric"), low+rapid.Float64Range(0, 10).Draw(t, "gap"), low,
				rapid.IntRange(0, 3).Draw(t, "up"), rapid.IntRange(0, 3).Draw(t, "down"))
			if rapid.Bool().Draw(t, "one side") {
				r.Low = nil
			}
			rules = append(rules, r)
		}
		v := scaled(rapid.IntRange(1, 5).Draw(t, "instances"), values.Draw(t, "a"), values.Draw(t, "b"), rules...)
		v.svc.Recipe.Min = rapid.IntRange(0, 2).Draw(t, "min")
		if rapid.Bool().Draw(t, "changing") {
			v.instances[0].Phase = pool.InstanceStopping
		}
		d := decide(v)
		least, most := bounds(v.svc)
		step, fired := 0, map[string]int{}
		for _, n := range d.Numbers {
			switch {
			case n.Verdict == "high" && n.Rule.High.By > 0:
				fired["high"]++
				step = max(step, n.Rule.High.By)
			case n.Verdict == "low" && n.Rule.Low.By > 0:
				fired["low"]++
				step = max(step, n.Rule.Low.By)
			}
		}
		changes := d.Action == pool.ScaleOut || d.Action == pool.ScaleIn
		switch {
		case changes != (d.To != d.From):
			t.Fatalf("%s from %d to %d", d.Action, d.From, d.To)
		case !changes:
		case d.To < least && d.To < d.From, d.To > most:
			t.Fatalf("to %d, outside of %d to %d", d.To, least, most)
		case v.instances[0].Phase != pool.InstanceRunning:
			t.Fatal("decided while an instance changes")
		case fired["high"] > 0 && fired["low"] > 0:
			t.Fatal("decided in a conflict")
		case d.Action == pool.ScaleOut && (fired["high"] == 0 || d.To < d.From || d.To-d.From > step), d.Action == pool.ScaleIn && (fired["low"] == 0 || d.To > d.From || d.From-d.To > step):
			t.Fatalf("%s from %d to %d, although %v by at most %d", d.Action, d.From, d.To, fired, step)
		}
		if d.Why == "" {
			t.Fatal("no reason is given")
		}
	})
}

// Reductions stay within what they reduce, whatever it is.
func TestReduceProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.Float64Range(-1e300, 1e300), 1, 50).Draw(t, "values")
		s := pool.Statistic{Kind: rapid.SampledFrom([]pool.StatisticKind{pool.StatAverage, pool.StatMinimum, pool.StatMaximum, pool.StatPercentile}).Draw(t, "kind"),
			Percentile: rapid.Float64Range(0, 100).Draw(t, "percentile")}
		got, ok := reduce(s, list)
		low, high := slices.Min(list), slices.Max(list)
		slack := (math.Abs(low) + math.Abs(high)) * 1e-9
		if !ok || got < low-slack || got > high+slack {
			t.Fatalf("%s of %v = %v, %v", s.Kind, list, got, ok)
		}
	})
}

// Memory is bounded, whatever agents send.
func TestLookoutIsBounded(t *testing.T) {
	var l lookout
	monitors := map[string]any{"text": "x", "NaN": math.NaN(), "list": []any{1}}
	for i := range 200 {
		monitors[fmt.Sprintf("m%d", i)] = float64(i)
	}
	for i := range 500 {
		l.put(pool.Readings{Instance: "in-1", At: at(i), Monitors: monitors}, "web", 60)
	}
	if n := len(l.samples["in-1"]); n != maxMonitors {
		t.Errorf("%d monitors are sampled", n)
	}
	for name, list := range l.samples["in-1"] {
		if len(list) != 60 || list[59].At != at(499) {
			t.Errorf("%s: %d samples", name, len(list))
		}
	}
	l.forget(map[string]bool{})
	if len(l.samples)+len(l.last) != 0 {
		t.Error("what is gone is remembered")
	}
}
