package recipes

import (
	"appliance/recipes/groovy"
)

// extras checks and keeps network, user interface, scaling and statistics.
func (l *loader) extras(b *block, r *Recipe) {
	if n, ok := b.vals["network"].(*block); ok {
		l.checkNetwork(n)
		r.Network = plainBlock(n)
	}
	if u, ok := b.vals["userInterface"].(*block); ok {
		l.checkUI(u)
		r.MetricGroups, r.UserInterface = metricGroups(u), plainBlock(u)
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
		r.ScalingRules = plainAny(s)
	}
	if s, ok := b.vals["serviceStatistics"].(*groovy.List); ok {
		r.Statistics = plainAny(s)
	}
}

// plainBlock turns a block into JSON data.
func plainBlock(b *block) map[string]any {
	out := map[string]any{"block": b.typ}
	for k, v := range b.vals {
		out[k] = plainAny(v)
	}
	return out
}

func plainAny(v groovy.Value) any {
	switch v := v.(type) {
	case *block:
		return plainBlock(v)
	case *groovy.List:
		out := []any{}
		for _, e := range v.Elems {
			out = append(out, plainAny(e))
		}
		return out
	}
	return groovy.Plain(v)
}
