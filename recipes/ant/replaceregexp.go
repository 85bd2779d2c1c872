package ant

import (
	"regexp"
	"strings"

	"appliance/recipes/groovy"
)

// substitution is what Ant writes for a match as Java does: \1 is the first group.
func substitution(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '$':
			b.WriteString(`\$`)
		case s[i] != '\\' || i+1 == len(s):
			b.WriteByte(s[i])
		default:
			i++
			if s[i] >= '0' && s[i] <= '9' {
				b.WriteByte('$')
			}
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

var endOfLine = regexp.MustCompile(`\r\n|\r|\n`)

// byLine calls change for each line without its end.
func byLine(s string, change func(string) (string, error)) (string, error) {
	var b strings.Builder
	for s != "" {
		at := endOfLine.FindStringIndex(s)
		if at == nil {
			at = []int{len(s), len(s)}
		}
		l, err := change(s[:at[0]])
		if err != nil {
			return "", err
		}
		b.WriteString(l + s[at[0]:at[1]])
		s = s[at[1]:]
	}
	return b.String(), nil
}

// replaceRegexp changes the first match of the file, or of each line with byline;
// all with the flag g.
func replaceRegexp(t *groovy.Thread, b *builder, n *node) error {
	pattern := n.attrs["match"]
	with, ok := n.attrs["replace"]
	for _, k := range n.kids {
		switch k.name {
		case "regexp":
			pattern = k.attrs["pattern"]
		case "substitution":
			with, ok = k.attrs["expression"], true
		}
	}
	switch {
	case pattern == "":
		return fault("No expression to match.")
	case !ok:
		return fault("Nothing to replace expression with.")
	}
	how, flags := "replaceFirst", ""
	for _, f := range n.attrs["flags"] {
		switch f {
		case 'g':
			how = "replaceAll"
		case 'i', 'm', 's':
			flags += string(f)
		}
	}
	if flags != "" {
		pattern = "(?" + flags + ")" + pattern
	}
	change := func(s string) (string, error) {
		v, err := t.CallMethod(s, how, []groovy.Value{pattern, substitution(with)})
		return groovy.Format(v), err
	}
	return b.each(n, "dir", func(path string) error {
		if !exists(path) {
			return b.log(t, n, "The following file is missing: '"+path+"'")
		}
		s, err := readText(path)
		if err != nil {
			return err
		}
		text := ""
		if n.yes("byline", false) {
			text, err = byLine(s, change)
		} else {
			text, err = change(s)
		}
		if err != nil || text == s {
			return err
		}
		return writeFile(path, text, false)
	})
}
