package groovy

import (
	"regexp"
	"strings"
)

// regex is a java.util.regex.Pattern, in RE2's syntax: no look-around and no
// back references, and so no input makes it slow.
type regex struct {
	src  string
	re   *regexp.Regexp
	full *regexp.Regexp
}

func compile(src string) (*regex, error) {
	if len(src) > 10000 {
		return nil, Throw("PatternSyntaxException", "the pattern is too long")
	}
	re, err := regexp.Compile(src)
	if err != nil {
		return nil, Throw("PatternSyntaxException", "%v", err)
	}
	full, err := regexp.Compile(`\A(?:` + src + `)\z`)
	if err != nil {
		return nil, Throw("PatternSyntaxException", "%v", err)
	}
	return &regex{src, re, full}, nil
}

func patternOf(v Value) (*regex, error) {
	if re, ok := v.(*regex); ok {
		return re, nil
	}
	return compile(Format(v))
}

func (r *regex) matches(s string) bool { return r.full.MatchString(s) }

// replacement turns Java's $1 into Go's ${1}.
func replacement(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			if s[i] == '$' {
				b.WriteByte('$')
			}
			b.WriteByte(s[i])
		case s[i] == '$' && i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9':
			i++
			b.WriteString("${" + string(s[i]) + "}")
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// matcher is a java.util.regex.Matcher: the matches of a pattern in s.
type matcher struct {
	re   *regex
	s    string
	next int // matches already found
}

func groups(list []string) Value {
	if len(list) == 1 {
		return list[0]
	}
	l := NewList()
	for _, g := range list {
		l.Elems = append(l.Elems, g)
	}
	return l
}

func (m *matcher) find() []string { return m.re.re.FindStringSubmatch(m.s) }

func (m *matcher) all() []Value {
	var out []Value
	for _, g := range m.re.re.FindAllStringSubmatch(m.s, 100000) {
		out = append(out, groups(g))
	}
	return out
}

func (m *matcher) call(id string, args []Value) (Value, error) {
	switch id {
	case "matches":
		return m.re.matches(m.s), nil
	case "find":
		m.next++
		return len(m.re.re.FindAllStringIndex(m.s, m.next)) == m.next, nil
	case "getCount", "size":
		return int64(len(m.all())), nil
	case "groupCount":
		return int64(m.re.re.NumSubexp()), nil
	case "hasGroup":
		return m.re.re.NumSubexp() > 0, nil
	case "group":
		list := m.re.re.FindAllStringSubmatch(m.s, max(m.next, 1))
		n := int64(0)
		if len(args) == 1 {
			n, _ = args[0].(int64)
		}
		if len(list) < max(m.next, 1) || n < 0 || n >= int64(len(list[len(list)-1])) {
			return nil, Throw("IllegalStateException", "No match found")
		}
		return list[len(list)-1][n], nil
	case "replaceAll":
		if len(args) == 1 {
			return m.re.re.ReplaceAllString(m.s, replacement(Format(args[0]))), nil
		}
	}
	return nil, noMethod(m, id, args)
}
