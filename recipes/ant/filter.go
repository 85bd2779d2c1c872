package ant

import (
	"slices"
	"strings"
)

// filters are the tokens of a filterset.
type filters struct {
	begin, end string
	values     map[string]string
	recurse    bool
}

// filter replaces @token@ by what the filtersets of a copy say, one set after
// the other.
func (b *builder) filter(n *node, path string) error {
	for _, k := range n.kids {
		if k.name != "filterset" {
			continue
		}
		f := filters{first(k.attrs["begintoken"], "@"), first(k.attrs["endtoken"], "@"), map[string]string{}, k.yes("recurse", true)}
		if p := k.attrs["filtersfile"]; p != "" {
			text, err := readText(b.path(p))
			if err != nil {
				return fault("Could not read filters from file: %v", err)
			}
			all, err := properties(text)
			if err != nil {
				return err
			}
			for _, p := range all {
				f.values[p.key] = p.value
			}
		}
		for _, e := range k.kids {
			f.values[e.attrs["token"]] = e.attrs["value"]
		}
		if err := edit(path, func(s string) string { return f.apply(s, nil) }); err != nil {
			return err
		}
	}
	return nil
}

// apply replaces the tokens in s, and those in their values; above are the
// tokens that s is the value of.
func (f filters) apply(s string, above []string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, f.begin)
		token, after, closed := strings.Cut(rest, f.end)
		if !ok || !closed {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(before)
		v, known := f.values[token]
		switch {
		case !known:
			b.WriteString(f.begin)
			s = rest
			continue
		case slices.Contains(above, token):
			v = f.begin + token + f.end
		case f.recurse:
			v = f.apply(v, append(above[:len(above):len(above)], token))
		}
		b.WriteString(v)
		s = after
	}
}
