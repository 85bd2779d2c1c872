package recipes

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Difference is one thing in which two recipes differ. Old is empty for what
// was added, New for what is gone; both are for files, and for properties that
// may be secret.
type Difference struct {
	Kind   string // file, property, descriptor
	Name   string
	Change string // added, removed, changed
	Old    string
	New    string
}

// Diff lists what is different in r from old: what the descriptor says, the
// properties, then the files, each by name.
func (r *Recipe) Diff(old *Recipe) ([]Difference, error) {
	var out []Difference
	before, after := old.said(), r.said()
	for _, name := range sortedNames(after) {
		if before[name] != after[name] {
			out = append(out, Difference{"descriptor", name, "changed", before[name], after[name]})
		}
	}
	out = append(out, compare("property", flat(old.Properties), flat(r.Properties), shown)...)
	a, err := old.contents()
	if err != nil {
		return nil, err
	}
	b, err := r.contents()
	if err != nil {
		return nil, err
	}
	return append(out, compare("file", a, b, func(string, string) string { return "" })...), nil
}

// compare lists what was added, removed and changed.
func compare(kind string, a, b map[string]string, show func(name, value string) string) []Difference {
	names := sortedNames(a)
	for _, n := range sortedNames(b) {
		if _, ok := a[n]; !ok {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	var out []Difference
	for _, n := range names {
		x, had := a[n]
		y, has := b[n]
		switch {
		case !had:
			out = append(out, Difference{kind, n, "added", "", show(n, y)})
		case !has:
			out = append(out, Difference{kind, n, "removed", show(n, x), ""})
		case x != y:
			out = append(out, Difference{kind, n, "changed", show(n, x), show(n, y)})
		}
	}
	return out
}

// shown is a property's value, unless its name says that it may be secret.
func shown(name, value string) string {
	low := strings.ToLower(name)
	for _, word := range []string{"pass", "secret", "token", "key", "credential"} {
		if strings.Contains(low, word) {
			return ""
		}
	}
	if len(value) > 120 {
		return value[:120] + "..."
	}
	return value
}

// said is what the descriptor says, as text.
func (r *Recipe) said() map[string]string {
	out := map[string]string{
		"type": r.Type, "template": r.Template, "elastic": fmt.Sprint(r.Elastic), "stateful": fmt.Sprint(r.Stateful),
		"numInstances": fmt.Sprint(r.NumInstances), "minAllowedInstances": fmt.Sprint(r.Min), "maxAllowedInstances": fmt.Sprint(r.Max),
		"packages": strings.Join(r.Packages, " "), "port": fmt.Sprint(r.Port), "dependsOn": strings.Join(r.DependsOn, " "),
		"lifecycle": strings.Join(sortedNames(r.Lifecycle), " "), "customCommands": strings.Join(sortedNames(r.CustomCommands), " "),
		"startDetectionTimeoutSecs": fmt.Sprint(int(r.StartDetectionTimeout.Seconds())),
	}
	return out
}

// flat writes nested properties as a.b = value.
func flat(props map[string]any) map[string]string {
	out := map[string]string{}
	var walk func(prefix string, v any)
	walk = func(prefix string, v any) {
		m, ok := v.(map[string]any)
		if !ok {
			out[prefix] = fmt.Sprint(v)
			return
		}
		for k, x := range m {
			walk(strings.TrimPrefix(prefix+"."+k, "."), x)
		}
	}
	walk("", props)
	return out
}

// contents are the texts of the recipe's files; those of properties are left
// to the comparison of properties.
func (r *Recipe) contents() (map[string]string, error) {
	out := map[string]string{}
	for _, f := range r.Files {
		b, err := fs.ReadFile(r.fsys, path.Join(r.dir, f))
		if err != nil {
			return nil, fmt.Errorf("compare recipe: %w", err)
		}
		out[f] = string(bytes.TrimRight(b, "\n"))
	}
	return out, nil
}
