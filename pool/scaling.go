package pool

import "time"

// StatisticKind reduces many values to one.
type StatisticKind string

// Statistics. Throughput is the rise a second, cpu the rise of a CPU time in
// milliseconds as a percentage of the time that passed.
const (
	StatAverage    StatisticKind = "average"
	StatMinimum    StatisticKind = "minimum"
	StatMaximum    StatisticKind = "maximum"
	StatPercentile StatisticKind = "percentile"
	StatThroughput StatisticKind = "throughput"
	StatCPU        StatisticKind = "averageCpuPercentage"
)

// Statistic is a way to reduce values; Percentile (0 to 100) goes with
// StatPercentile.
type Statistic struct {
	Kind       StatisticKind `json:"kind"`
	Percentile float64       `json:"percentile,omitempty"`
}

// ScalingRule says when a service gets more or fewer instances: its metric,
// sampled over a moving window, is reduced over time for each instance, then
// across instances, and compared: above High, below Low, both strictly.
type ScalingRule struct {
	Name      string        `json:"name,omitempty"` // of the declared statistics; else the metric
	Metric    string        `json:"metric"`
	Window    time.Duration `json:"window"`
	Time      Statistic     `json:"time"`
	Instances Statistic     `json:"instances"`
	High      *Threshold    `json:"high,omitempty"`
	Low       *Threshold    `json:"low,omitempty"`
}

// Threshold is a value and by how many instances a service changes beyond it;
// 0 switches it off.
type Threshold struct {
	Value float64 `json:"value"`
	By    int     `json:"by"`
}

// Scaling is all that a recipe says of scaling.
type Scaling struct {
	Rules       []ScalingRule `json:"rules,omitempty"`
	Sampling    time.Duration `json:"sampling"`
	OutCooldown time.Duration `json:"outCooldown,omitempty"`
	InCooldown  time.Duration `json:"inCooldown,omitempty"`
}

// ScaleAction is what a decision did.
type ScaleAction string

// Scale actions. Held means: a rule asked for a change, and something was in the way.
const (
	ScaleOut  ScaleAction = "out"
	ScaleIn   ScaleAction = "in"
	ScaleHeld ScaleAction = "held"
	ScaleNone ScaleAction = "none"
)

// ScalingDecision is a change of a service's number of instances, by a person
// or by rules, or a change that was wanted and not made; with the numbers it
// was made on.
type ScalingDecision struct {
	Seq     int64         `json:"seq"` // set by the store: rising in a service
	Service string        `json:"service"`
	At      time.Time     `json:"at"`
	By      string        `json:"by"` // a person, or "scaling rules"
	Action  ScaleAction   `json:"action"`
	From    int           `json:"from"`
	To      int           `json:"to"`
	Why     string        `json:"why"` // one plain sentence
	Numbers []RuleNumbers `json:"numbers,omitempty"`
}

// RuleNumbers are what one rule said at a decision.
type RuleNumbers struct {
	Rule ScalingRule `json:"rule"`
	// Value is the metric over time and instances; Known says that there was one.
	Value float64 `json:"value"`
	Known bool    `json:"known"`
	// Verdict is high, low, between, or what is missing.
	Verdict   string           `json:"verdict"`
	Instances []InstanceNumber `json:"instances,omitempty"`
}

// InstanceNumber is a metric of one instance over the window.
type InstanceNumber struct {
	Number  int       `json:"number"`
	Value   float64   `json:"value"`
	Known   bool      `json:"known"`
	Samples int       `json:"samples"` // in the window
	Latest  time.Time `json:"latest,omitzero"`
}
