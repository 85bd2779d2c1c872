package recipes

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"appliance/recipes/groovy"
)

// Scaling is what a recipe says of scaling, checked.
type Scaling struct {
	Rules       []ScalingRule
	Sampling    time.Duration
	OutCooldown time.Duration
	InCooldown  time.Duration
}

// ScalingRule compares a metric, reduced over a moving window for each
// instance and then across instances, with two thresholds.
type ScalingRule struct {
	Name      string // of the declared statistics; else the metric
	Metric    string
	Window    time.Duration
	Time      Statistic
	Instances Statistic
	High, Low *Threshold
}

// Statistic reduces values to one: average, minimum, maximum, percentile,
// throughput or averageCpuPercentage.
type Statistic struct {
	Kind       string
	Percentile float64
}

// Threshold is a value, and by how many instances to change beyond it.
type Threshold struct {
	Value float64
	By    int
}

const (
	defaultSampling = 60 * time.Second
	defaultWindow   = 300 * time.Second
	maxScalingTime  = 7 * 24 * time.Hour
)

// scaling reads scaling rules, statistics and cool-downs of a service.
func (l *loader) scaling(b *block, r *Recipe) {
	seconds := func(b *block, name string, deflt time.Duration) time.Duration {
		d := time.Duration(b.integer(name, int(deflt/time.Second))) * time.Second
		if d < 0 || d > maxScalingTime {
			l.fault(b, name, "%s (%d) must be from 0 to %d seconds", name, b.integer(name, 0), int(maxScalingTime/time.Second))
			return deflt
		}
		return d
	}
	both := seconds(b, "scaleCooldownInSeconds", 0)
	r.Scaling = Scaling{Sampling: max(seconds(b, "samplingPeriodInSeconds", defaultSampling), time.Second),
		OutCooldown: seconds(b, "scaleOutCooldownInSeconds", both), InCooldown: seconds(b, "scaleInCooldownInSeconds", both)}
	declared := map[string]*block{}
	for _, list := range []string{"serviceStatistics", "perInstanceStatistics"} {
		l2, _ := b.vals[list].(*groovy.List)
		if l2 == nil {
			continue
		}
		for _, v := range l2.Elems {
			if s, ok := v.(*block); ok && s.str("name") != "" {
				declared[s.str("name")] = s
			}
		}
	}
	rules, _ := b.vals["scalingRules"].(*groovy.List)
	if rules == nil {
		return
	}
	for _, v := range rules.Elems {
		rule, ok := v.(*block)
		if !ok || rule.vals["serviceStatistics"] == nil {
			continue // extras says so
		}
		if out, ok := l.scalingRule(rule, declared, seconds); ok {
			r.Scaling.Rules = append(r.Scaling.Rules, out)
		}
	}
	if len(r.Scaling.Rules) > 0 && !r.Elastic {
		r.Warnings = append(r.Warnings, "the service has scaling rules but is not elastic: nothing scales it")
	}
}

func (l *loader) scalingRule(rule *block, declared map[string]*block, seconds func(*block, string, time.Duration) time.Duration) (ScalingRule, bool) {
	stats, ok := rule.vals["serviceStatistics"].(*block)
	if !ok {
		name := groovy.Format(rule.vals["serviceStatistics"])
		if stats = declared[name]; stats == nil {
			// The original accepts it and the rule never fires.
			l.warnings = append(l.warnings, "scalingRule refers to serviceStatistics \""+name+"\", which the recipe does not declare: it has no effect")
			return ScalingRule{}, false
		}
	}
	out := ScalingRule{Name: stats.str("name"), Metric: stats.str("metric"), Window: seconds(stats, "movingTimeRangeInSeconds", defaultWindow)}
	if out.Metric == "" {
		l.fault(stats, "metric", "serviceStatistics must name its metric")
		return out, false
	}
	if out.Name == "" {
		out.Name = out.Metric
	}
	out.Time, out.Instances = Statistic{Kind: "average"}, Statistic{Kind: "average"}
	for _, s := range []struct {
		name string
		set  func(of statisticPair)
	}{
		{"statistics", func(p statisticPair) { out.Time, out.Instances = p.time, p.instances }},
		{"timeStatistics", func(p statisticPair) { out.Time = p.time }},
		{"instancesStatistics", func(p statisticPair) { out.Instances = p.one }},
	} {
		v, set := stats.vals[s.name]
		if !set || v == nil {
			continue
		}
		p, ok := statisticOf(v)
		if !ok {
			l.fault(stats, s.name, "%s: there is no statistic %s", s.name, groovy.Format(v))
			return out, false
		}
		s.set(p)
	}
	out.High, out.Low = l.threshold(rule, "highThreshold", "instancesIncrease"), l.threshold(rule, "lowThreshold", "instancesDecrease")
	return out, true
}

func (l *loader) threshold(rule *block, name, by string) *Threshold {
	b, ok := rule.vals[name].(*block)
	if !ok {
		return nil
	}
	n := b.integer(by, 1)
	if n < 0 {
		l.fault(b, by, "%s (%d) must be 0 or higher", by, n)
	}
	// A whole number, a decimal or a text that is one.
	if v := b.vals["value"]; v != nil {
		if f, err := strconv.ParseFloat(groovy.Format(v), 64); err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
			return &Threshold{Value: f, By: n}
		}
	}
	l.fault(b, "value", "%s must have a value that is a number", name)
	return nil
}

// statisticPair is what a member of Statistics means: over time and across
// instances where it sets both, and alone.
type statisticPair struct{ time, instances, one Statistic }

var statisticName = regexp.MustCompile(`^(\w+?)(?:\((\d{1,3}(?:\.\d+)?)\))?$`)

// statisticOf reads Statistics.NAME or Statistics.NAME(percentile).
func statisticOf(v groovy.Value) (statisticPair, bool) {
	e, ok := v.(groovy.Enum)
	if !ok || e.Class != "Statistics" {
		return statisticPair{}, false
	}
	m := statisticName.FindStringSubmatch(e.Name)
	if m == nil {
		return statisticPair{}, false
	}
	name, p := m[1], 50.0
	if m[2] != "" {
		p, _ = strconv.ParseFloat(m[2], 64) // digits
	}
	if p > 100 || m[2] == "" && strings.HasPrefix(name, "percentile") {
		return statisticPair{}, false
	}
	k := func(kind string) Statistic { return Statistic{Kind: kind} }
	average, least, most, cent := k("average"), k("minimum"), k("maximum"), Statistic{"percentile", p}
	through := k("throughput")
	pairs := map[string]statisticPair{
		"average": {average, average, average}, "minimum": {least, least, least}, "maximum": {most, most, most},
		"median": {cent, cent, cent}, "percentile": {cent, cent, cent},
		"throughput": {through, average, through}, "averageCpuPercentage": {k("averageCpuPercentage"), average, k("averageCpuPercentage")},
		"maximumThroughput": {through, most, most}, "minimumThroughput": {through, least, least}, "averageThroughput": {through, average, average},
		"averageOfAverages": {average, average, average}, "minimumOfAverages": {average, least, least}, "maximumOfAverages": {average, most, most},
		"maximumOfMaximums": {most, most, most}, "minimumOfMinimums": {least, least, least}, "percentileOfAverages": {average, cent, cent},
	}
	pair, ok := pairs[name]
	return pair, ok
}
