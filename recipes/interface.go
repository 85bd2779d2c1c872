package recipes

import (
	"slices"

	"appliance/recipes/groovy"
)

// Metric is what a chart of a service shows: the name of a monitor, and in
// what unit people read it: REGULAR, PERCENTAGE, MEMORY or DURATION.
type Metric struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
}

// MetricGroup is a titled list of metrics that the console draws.
type MetricGroup struct {
	Name    string   `json:"name"`
	Metrics []Metric `json:"metrics"`
}

// metricOf reads a metric: its name, or a list of name and Unit.
func metricOf(v groovy.Value) (Metric, bool) {
	m := Metric{Unit: "REGULAR"}
	if pair, ok := v.(*groovy.List); ok && len(pair.Elems) > 0 {
		v = pair.Elems[0]
		if len(pair.Elems) > 1 {
			m.Unit = unitName(pair.Elems[1])
		}
	}
	name, ok := v.(string)
	m.Name = name
	return m, ok && m.Unit != ""
}

// unitName is the name of a Unit; empty for anything else.
func unitName(v groovy.Value) string {
	if e, ok := v.(groovy.Enum); ok && e.Class == "Unit" {
		return e.Name
	}
	return ""
}

// checkUI checks a userInterface block (section 1.6 of the language).
func (l *loader) checkUI(u *block) {
	for _, g := range l.blocks(u, "metricGroups", "metricGroup") {
		metrics, _ := g.vals["metrics"].(*groovy.List)
		if metrics == nil {
			l.fault(g, "metrics", "metricGroup %q has no metrics", g.str("name"))
			continue
		}
		for _, v := range metrics.Elems {
			if _, ok := metricOf(v); !ok {
				l.fault(g, "metrics", "the defined metric %s is invalid. metric name should be of type 'String', its unit one of Unit.REGULAR, PERCENTAGE, MEMORY, DURATION", groovy.Format(v))
			}
		}
	}
	for _, g := range l.blocks(u, "widgetGroups", "widgetGroup") {
		for _, w := range l.blocks(g, "widgets", "balanceGauge", "barLineChart") {
			if v, set := w.vals["axisYUnit"]; set && unitName(v) == "" {
				l.fault(w, "axisYUnit", "axisYUnit %s is no Unit: REGULAR, PERCENTAGE, MEMORY or DURATION", groovy.Format(v))
			}
			if w.vals["metric"] == nil {
				l.fault(w, "metric", "%s has no metric", w.typ)
			}
		}
	}
}

// blocks are the elements of a list property, which must be blocks of the
// given types.
func (l *loader) blocks(b *block, name string, types ...string) []*block {
	list, _ := b.vals[name].(*groovy.List)
	if list == nil {
		return nil
	}
	var out []*block
	for _, v := range list.Elems {
		e, ok := v.(*block)
		if !ok || !slices.Contains(types, e.typ) {
			l.fault(b, name, "%s takes a list of %s blocks, not %s", name, types[0], groovy.Format(v))
			continue
		}
		out = append(out, e)
	}
	return out
}

// metricGroups are the groups of metrics that the recipe wants shown.
func metricGroups(u *block) []MetricGroup {
	var out []MetricGroup
	list, _ := u.vals["metricGroups"].(*groovy.List)
	if list == nil {
		return nil
	}
	for _, v := range list.Elems {
		g, ok := v.(*block)
		if !ok {
			continue
		}
		group := MetricGroup{Name: g.str("name")}
		if metrics, ok := g.vals["metrics"].(*groovy.List); ok {
			for _, v := range metrics.Elems {
				if m, ok := metricOf(v); ok {
					group.Metrics = append(group.Metrics, m)
				}
			}
		}
		out = append(out, group)
	}
	return out
}
