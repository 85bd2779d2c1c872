package recipes

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"appliance/recipes/groovy"
)

// extras checks and keeps network, user interface, scaling and statistics.
func (l *loader) extras(b *block, r *Recipe) error {
	if n, ok := b.vals["network"].(*block); ok {
		if err := checkNetwork(n); err != nil {
			return err
		}
		r.Network = plainBlock(n)
	}
	if u, ok := b.vals["userInterface"].(*block); ok {
		if err := checkUI(u); err != nil {
			return err
		}
		r.UserInterface = plainBlock(u)
	}
	if s, ok := b.vals["isolationSLA"].(*block); ok && len(s.vals) > 1 {
		return b.fault("isolationSLA", "cannot define two types of isolation sla's. please choose one")
	}
	if s, ok := b.vals["scalingRules"].(*groovy.List); ok {
		for _, v := range s.Elems {
			rule, ok := v.(*block)
			if !ok || rule.typ != "scalingRule" {
				return b.fault("scalingRules", "scalingRules takes a list of scalingRule blocks, not %s", groovy.Format(v))
			}
			if rule.vals["serviceStatistics"] == nil {
				return b.fault("scalingRules", "scalingRule must specify serviceStatistics (either a closure or reference a predefined serviceStatistics name).")
			}
		}
		r.ScalingRules = plainAny(s)
		r.Warnings = append(r.Warnings, "scaling rules are kept; nothing scales by them yet")
	}
	if s, ok := b.vals["serviceStatistics"].(*groovy.List); ok {
		r.Statistics = plainAny(s)
	}
	return nil
}

// portRange is "80", "80,90-95"; PortRangeFactory of the original.
func portRange(s string) bool {
	if !regexp.MustCompile(`^\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*$`).MatchString(strings.ReplaceAll(s, " ", "")) {
		return false
	}
	for p := range strings.FieldsFuncSeq(s, func(c rune) bool { return c == ',' || c == '-' || c == ' ' }) {
		if n, err := strconv.Atoi(p); err != nil || n < 1 || n > 65535 {
			return false
		}
	}
	return true
}

func checkNetwork(n *block) error {
	if p := n.integer("port", -1); p == 0 || p < -1 || p > 65535 {
		return n.fault("port", "the service's port \"%d\" is no number from 1 to 65535", p)
	}
	rules := n.child("accessRules")
	for _, way := range []string{"incoming", "outgoing"} {
		list, _ := rules.vals[way].(*groovy.List)
		if list == nil {
			continue
		}
		for _, v := range list.Elems {
			rule, ok := v.(*block)
			if !ok || rule.typ != "accessRule" {
				return rules.fault(way, "%s takes a list of accessRule blocks, not %s", way, groovy.Format(v))
			}
			typ := rule.str("type")
			switch {
			case typ == "":
				return rules.fault(way, "Missing type in access rule")
			case !slices.Contains([]string{"PRIVATE", "SERVICE", "APPLICATION", "CLUSTER", "PUBLIC", "RANGE", "GROUP"}, typ):
				return rules.fault(way, "No enum constant org.cloudifysource.domain.network.AccessRuleType.%s", typ)
			case (typ == "RANGE" || typ == "GROUP") && rule.str("target") == "":
				return rules.fault(way, "Missing target in access rule of type %s", typ)
			case rule.str("portRange") == "":
				return rules.fault(way, "Missing port range in access rule")
			case !portRange(rule.str("portRange")):
				return rules.fault(way, "Invalid port range description: %s", rule.str("portRange"))
			}
		}
	}
	return nil
}

func checkUI(u *block) error {
	groups, _ := u.vals["metricGroups"].(*groovy.List)
	if groups == nil {
		return nil
	}
	for _, v := range groups.Elems {
		g, ok := v.(*block)
		if !ok {
			continue
		}
		metrics, _ := g.vals["metrics"].(*groovy.List)
		if metrics == nil {
			continue
		}
		for _, m := range metrics.Elems {
			if pair, ok := m.(*groovy.List); ok && len(pair.Elems) > 0 {
				m = pair.Elems[0]
			}
			if _, ok := m.(string); !ok {
				return u.fault("metricGroups", "the defined metric %s is invalid. metric name should be of type 'String'", groovy.Format(m))
			}
		}
	}
	return nil
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
