package recipes

import (
	"appliance/recipes/groovy"
)

// extras checks and keeps network, user interface, scaling and statistics.
func (l *loader) extras(b *block, r *Recipe) {
	if n, ok := b.vals["network"].(*block); ok {
		l.checkNetwork(n)
		r.Network = groovy.Plain(n)
	}
	if u, ok := b.vals["userInterface"].(*block); ok {
		l.checkUI(u)
		r.MetricGroups, r.UserInterface = metricGroups(u), groovy.Plain(u)
	}
	if s, ok := b.vals["isolationSLA"].(*block); ok {
		l.checkIsolation(s)
	}
	if s, ok := b.vals["scalingRules"].(*groovy.List); ok {
		for _, v := range s.Elems {
			rule, ok := v.(*block)
			if !ok || rule.typ != "scalingRule" {
				l.fault(b, "scalingRules", "scalingRules takes a list of scalingRule blocks, not %s", groovy.Format(v))
				continue
			}
			if rule.vals["serviceStatistics"] == nil {
				l.fault(b, "scalingRules", "scalingRule must specify serviceStatistics (either a closure or reference a predefined serviceStatistics name).")
			}
		}
		r.ScalingRules = groovy.Plain(s)
	}
	if s, ok := b.vals["serviceStatistics"].(*groovy.List); ok {
		r.Statistics = groovy.Plain(s)
	}
}
