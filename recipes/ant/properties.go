package ant

import (
	"strconv"
	"strings"

	"appliance/recipes/groovy"
)

// pair is a property of a file.
type pair struct{ key, value string }

// properties are those of a properties file, as java.util.Properties reads it:
// the last value of a key, with its escapes resolved.
func properties(text string) ([]pair, error) {
	var all []pair
	at := map[string]int{}
	rows := lines(text)
	for i := 0; i < len(rows); i++ {
		l := strings.TrimLeft(rows[i], " \t\f")
		if l == "" || l[0] == '#' || l[0] == '!' {
			continue
		}
		for odd(l) && i+1 < len(rows) {
			i++
			l = l[:len(l)-1] + strings.TrimLeft(rows[i], " \t\f")
		}
		k, v := halves(l)
		key, err := unescape(k)
		if err != nil {
			return nil, err
		}
		value, err := unescape(v)
		if err != nil {
			return nil, err
		}
		if old, ok := at[key]; ok {
			all[old].value = value
			continue
		}
		at[key] = len(all)
		all = append(all, pair{key, value})
	}
	return all, nil
}

// odd says whether a line ends in a backslash that nothing escapes.
func odd(l string) bool {
	return (len(l)-len(strings.TrimRight(l, `\`)))%2 == 1
}

// halves parts a line behind its key: at =, : or a blank.
func halves(l string) (key, value string) {
	for i := 0; i < len(l); i++ {
		switch l[i] {
		case '\\':
			i++
		case '=', ':':
			return l[:i], strings.TrimLeft(l[i+1:], " \t\f")
		case ' ', '\t', '\f':
			rest := strings.TrimLeft(l[i:], " \t\f")
			if rest != "" && (rest[0] == '=' || rest[0] == ':') {
				rest = strings.TrimLeft(rest[1:], " \t\f")
			}
			return l[:i], rest
		}
	}
	return l, ""
}

func unescape(s string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			if s[i] != '\\' {
				b.WriteByte(s[i])
			}
			continue
		}
		i++
		switch s[i] {
		case 't':
			b.WriteByte('\t')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 'f':
			b.WriteByte('\f')
		case 'u':
			if i+5 > len(s) {
				return "", fault("Malformed \\uxxxx encoding.")
			}
			r, err := strconv.ParseUint(s[i+1:i+5], 16, 16)
			if err != nil {
				return "", fault("Malformed \\uxxxx encoding.")
			}
			b.WriteRune(rune(r))
			i += 4
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), nil
}

// load sets the properties of a file. They may name each other, unless they get
// a prefix; one that is set already keeps its value and is what the others see.
func (b *builder) load(t *groovy.Thread, path, prefix string) error {
	text, err := readText(path)
	if err != nil {
		return err
	}
	all, err := properties(text)
	if err != nil {
		return err
	}
	raw := map[string]string{}
	for _, p := range all {
		if prefix == "" {
			raw[p.key] = p.value
		}
	}
	for i, p := range all {
		if all[i].value, err = b.resolve(t, raw, p.value, []string{p.key}); err != nil {
			return err
		}
	}
	for _, p := range all {
		if err := b.define(t, prefix+p.key, p.value); err != nil {
			return err
		}
	}
	return nil
}

// resolve puts values into a value of a file; above are the keys that it stands in.
func (b *builder) resolve(t *groovy.Thread, raw map[string]string, s string, above []string) (string, error) {
	var failed error
	out := reference.ReplaceAllStringFunc(s, func(m string) string {
		if m == "$$" {
			return "$"
		}
		key := m[2 : len(m)-1]
		if v, ok := b.props.Get(key); ok {
			return groovy.Format(v)
		}
		v, ok := raw[key]
		if !ok || failed != nil {
			return m
		}
		for _, k := range above {
			if k == key {
				failed = fault("Property %s was circularly defined.", key)
				return m
			}
		}
		v, failed = b.resolve(t, raw, v, append(above[:len(above):len(above)], key))
		if failed == nil {
			failed = t.Alloc(len(v))
		}
		return v
	})
	return out, failed
}
