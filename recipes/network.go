package recipes

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"appliance/recipes/groovy"
)

// portRange is "80", "80,90-95"; PortRangeFactory of the original.
func portRange(s string) bool {
	if !regexp.MustCompile(`^\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*$`).MatchString(strings.ReplaceAll(s, " ", "")) {
		return false
	}
	for _, part := range strings.Split(strings.ReplaceAll(s, " ", ""), ",") {
		low, high, isRange := strings.Cut(part, "-")
		from, err := strconv.Atoi(low)
		if err != nil || from < 1 || from > 65535 {
			return false
		}
		if to, err := strconv.Atoi(high); isRange && (err != nil || to < from || to > 65535) {
			return false
		}
	}
	return true
}

func accessRuleTypes() []string {
	return []string{"PRIVATE", "SERVICE", "APPLICATION", "CLUSTER", "PUBLIC", "RANGE", "GROUP"}
}

// checkNetwork checks a network block (section 1.5 of the language).
func (l *loader) checkNetwork(n *block) {
	if p := n.integer("port", -1); p == 0 || p < -1 { // what is too high [loader.port] tells
		l.fault(n, "port", "the service's port \"%d\" is no number from 1 to 65535", p)
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
				l.fault(rules, way, "%s takes a list of accessRule blocks, not %s", way, groovy.Format(v))
				continue
			}
			l.checkAccessRule(rule)
		}
	}
}

func (l *loader) checkAccessRule(rule *block) {
	typ := rule.str("type")
	switch {
	case typ == "":
		l.fault(rule, "type", "Missing type in access rule")
	case !slices.Contains(accessRuleTypes(), typ):
		l.fault(rule, "type", "No enum constant org.cloudifysource.domain.network.AccessRuleType.%s", typ)
	case (typ == "RANGE" || typ == "GROUP") && rule.str("target") == "":
		l.fault(rule, "target", "Missing target in access rule of type %s", typ)
	}
	switch ports := rule.str("portRange"); {
	case ports == "":
		l.fault(rule, "portRange", "Missing port range in access rule")
	case !portRange(ports):
		l.fault(rule, "portRange", "Invalid port range description: %s", ports)
	}
}

// checkIsolation checks an isolationSLA block (section 1.4). A machine of the
// pool carries one instance, so that every kind is "dedicated" here.
func (l *loader) checkIsolation(s *block) {
	if len(s.vals) > 1 {
		l.fault(s, "", "cannot define two types of isolation sla's. please choose one")
	}
	for _, kind := range sortedNames(s.vals) {
		k, ok := s.vals[kind].(*block)
		if !ok || kind == "dedicated" {
			continue
		}
		if k.integer("instanceMemoryMB", 128) <= 0 {
			l.fault(k, "instanceMemoryMB", "instanceMemoryMB of isolationSLA %s must be higher than 0", kind)
		}
		if number(k.vals["instanceCpuCores"]) < 0 {
			l.fault(k, "instanceCpuCores", "instanceCpuCores of isolationSLA %s must not be negative", kind)
		}
		if kind != "global" && k.boolean("useManagement", false) {
			l.fault(k, "useManagement", "isolationSLA %s: useManagement can be true only in a global isolationSLA", kind)
		}
		l.warn(k.at, "isolationSLA %s has no effect: a machine of the pool carries one instance", kind)
	}
}

// number is a value as a number; 0 when it is none.
func number(v groovy.Value) float64 {
	f, _ := strconv.ParseFloat(groovy.Format(v), 64)
	return f
}
