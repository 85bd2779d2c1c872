package recipes

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The scaling part of the language: section 1.7.
func TestScalingRules(t *testing.T) {
	average := Statistic{Kind: "average"}
	for _, tt := range []struct {
		name, text string
		want       Scaling
	}{
		{"nothing", `elastic true`, Scaling{Sampling: time.Minute}},
		{"defaults", `elastic true; scalingRules([scalingRule { serviceStatistics { metric "a" }; highThreshold { value 5 } }])`,
			Scaling{Sampling: time.Minute, Rules: []ScalingRule{{Name: "a", Metric: "a", Window: 5 * time.Minute, Time: average, Instances: average, High: &Threshold{5, 1}}}}},
		{"both thresholds, both cool-downs", `elastic true; scaleCooldownInSeconds 20; scaleInCooldownInSeconds 40; samplingPeriodInSeconds 1
			scalingRules([scalingRule { serviceStatistics { metric "a"; movingTimeRangeInSeconds 20 }
				highThreshold { value 1.9; instancesIncrease 2 }; lowThreshold { value(-1); instancesDecrease 0 } }])`,
			Scaling{Sampling: time.Second, OutCooldown: 20 * time.Second, InCooldown: 40 * time.Second, Rules: []ScalingRule{{Name: "a", Metric: "a", Window: 20 * time.Second,
				Time: average, Instances: average, High: &Threshold{1.9, 2}, Low: &Threshold{-1, 0}}}}},
		{"declared", `elastic true; serviceStatistics([serviceStatistics { name "load"; metric "Total Requests Count"; statistics Statistics.maximumThroughput }])
			scalingRules([scalingRule { serviceStatistics "load"; highThreshold { value 1 } }])`,
			Scaling{Sampling: time.Minute, Rules: []ScalingRule{{Name: "load", Metric: "Total Requests Count", Window: 5 * time.Minute,
				Time: Statistic{Kind: "throughput"}, Instances: Statistic{Kind: "maximum"}, High: &Threshold{1, 1}}}}},
		{"statistics of their own", `elastic true; scalingRules([scalingRule { serviceStatistics { metric "a"; timeStatistics Statistics.averageCpuPercentage; instancesStatistics Statistics.percentile(90) }
			highThreshold { value 1 } }])`,
			Scaling{Sampling: time.Minute, Rules: []ScalingRule{{Name: "a", Metric: "a", Window: 5 * time.Minute,
				Time: Statistic{Kind: "averageCpuPercentage"}, Instances: Statistic{"percentile", 90}, High: &Threshold{1, 1}}}}},
		{"a name nobody declares", `elastic true; scalingRules([scalingRule { serviceStatistics "x"; highThreshold { value 1 } }])`, Scaling{Sampling: time.Minute}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Load(folderOf(`service { name "a"; `+tt.text+` }`), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, r.Scaling); d != "" {
				t.Error(d)
			}
		})
	}
	for name, tt := range map[string]struct{ text, want string }{
		"no value":       {`scalingRules([scalingRule { serviceStatistics { metric "a" }; highThreshold { instancesIncrease 1 } }])`, "highThreshold must have a value"},
		"no number":      {`scalingRules([scalingRule { serviceStatistics { metric "a" }; lowThreshold { value "x" } }])`, "lowThreshold must have a value"},
		"no metric":      {`scalingRules([scalingRule { serviceStatistics { }; lowThreshold { value 1 } }])`, "must name its metric"},
		"no statistic":   {`scalingRules([scalingRule { serviceStatistics { metric "a"; statistics "sum" }; lowThreshold { value 1 } }])`, "there is no statistic sum"},
		"percentile 200": {`scalingRules([scalingRule { serviceStatistics { metric "a"; statistics Statistics.percentile(200) }; lowThreshold { value 1 } }])`, "there is no statistic"},
		"less than none": {`scalingRules([scalingRule { serviceStatistics { metric "a" }; highThreshold { value 1; instancesIncrease(-1) } }])`, "instancesIncrease (-1)"},
		"cool-down":      {`scaleCooldownInSeconds(-1)`, "scaleCooldownInSeconds (-1)"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Load(folderOf(`service { name "a"; `+tt.text+` }`), Options{}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}
