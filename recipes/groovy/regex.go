package groovy

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// regex is a java.util.regex.Pattern, in RE2's syntax: no look-around and no
// back references, and so the time it takes is bounded by size and input.
type regex struct {
	src  string
	re   *regexp.Regexp
	full *regexp.Regexp
	size int // about how many instructions it has
}

const (
	maxPattern = 10000 // characters, and instructions
	// maxMatches bounds the groups of all matches that are kept at one time.
	maxMatches = 1 << 18
)

func compile(src string) (*regex, error) {
	if len(src) > maxPattern {
		return nil, Throw("PatternSyntaxException", "the pattern is too long")
	}
	plain := src
	src = goSyntax(src)
	tree, err := syntax.Parse(src, syntax.Perl)
	if err != nil {
		return nil, Throw("PatternSyntaxException", "%v%s", err, lookHint(plain))
	}
	size := instructions(tree)
	if size > maxPattern {
		return nil, Throw("PatternSyntaxException", "the pattern repeats too much")
	}
	re, err := regexp.Compile(src)
	if err != nil {
		return nil, Throw("PatternSyntaxException", "%v", err)
	}
	full, err := regexp.Compile(`\A(?:` + src + `)\z`)
	if err != nil {
		return nil, Throw("PatternSyntaxException", "%v", err)
	}
	return &regex{plain, re, full, size}, nil
}

// lookHint says what RE2 lacks when the pattern uses it.
func lookHint(src string) string {
	for _, s := range []string{"(?=", "(?!", "(?<=", "(?<!"} {
		if strings.Contains(src, s) {
			return ": look-around is not supported"
		}
	}
	return ""
}

// goSyntax rewrites what Java writes differently: (?<name>x), possessive
// quantifiers, \h and \R, classes in classes.
func goSyntax(src string) string {
	if !strings.ContainsAny(src, "\\+<") {
		return src
	}
	var b strings.Builder
	class := 0
	for i := 0; i < len(src); i++ {
		c := src[i]
		switch {
		case c == '\\' && i+1 < len(src):
			i++
			switch src[i] {
			case 'h':
				b.WriteString(choose(class > 0, ` \t\xA0`, `[ \t\xA0]`))
			case 'R':
				b.WriteString(`(?:\r\n|[\n\r])`)
			case 'Z':
				b.WriteString(`\n?\z`)
			case 'e':
				b.WriteString(`\x1b`)
			default:
				b.WriteByte('\\')
				b.WriteByte(src[i])
			}
			continue
		case c == '[':
			class++
		case c == ']' && class > 0:
			class--
		case c == '+' && class == 0 && i > 0 && strings.IndexByte("*+?}", src[i-1]) >= 0 && (i < 2 || src[i-2] != '\\'):
			continue // possessive: RE2 does not backtrack anyway
		case c == '<' && class == 0 && i > 1 && src[i-2:i] == "(?" && i+1 < len(src) && src[i+1] != '=' && src[i+1] != '!':
			b.WriteString("P<")
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

func choose[T any](yes bool, a, b T) T {
	if yes {
		return a
	}
	return b
}

// instructions is about how long the program of re will be: a{1000} is one
// node of the tree and a thousand instructions.
func instructions(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)/2
	for _, sub := range re.Sub {
		n += instructions(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return n
}

// search accounts one walk of re over s: the steps that it takes at worst.
func (t *Thread) search(re *regex, s string) error {
	return t.charge(len(s) * re.size / 64)
}

func patternOf(v Value) (*regex, error) {
	if re, ok := v.(*regex); ok {
		return re, nil
	}
	return compile(Format(v))
}

// fits says whether all of s matches re.
func (t *Thread) fits(re *regex, s string) (bool, error) {
	if err := t.search(re, s); err != nil {
		return false, err
	}
	return re.full.MatchString(s), nil
}

// matches returns the places of the first n matches (-1: of all) in s.
func (t *Thread) matches(re *regex, s string, n int) ([][]int, error) {
	if err := t.search(re, s); err != nil {
		return nil, err
	}
	groups := re.re.NumSubexp() + 1
	most := maxMatches / groups
	if n < 0 || n > most {
		n = most
	}
	list := re.re.FindAllStringSubmatchIndex(s, n)
	if len(list) == most {
		return nil, fmt.Errorf("%w: a pattern matches more than %d times", ErrLimit, most-1)
	}
	return list, t.Alloc(len(list) * (24 + 16*groups))
}

// replacement turns Java's $1 into Go's ${1}.
func replacement(s string) (string, error) {
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
		case s[i] == '$' && i+1 < len(s) && s[i+1] == '{':
			b.WriteByte('$')
		case s[i] == '$':
			return "", Throw("IllegalArgumentException", "Illegal group reference")
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), nil
}

// matcher is a java.util.regex.Matcher: the matches of a pattern in s.
type matcher struct {
	re     *regex
	s      string
	next   int     // matches already found
	places [][]int // of all matches, once somebody asked
	looked bool
}

// groupsAt returns the texts of one match; a group that took no part is null.
func groupsAt(s string, place []int) []Value {
	out := make([]Value, 0, len(place)/2)
	for i := 0; i < len(place); i += 2 {
		if place[i] < 0 {
			out = append(out, nil)
			continue
		}
		out = append(out, s[place[i]:place[i+1]])
	}
	return out
}

// groups is a match as matcher[i] gives it.
func groups(list []Value) Value {
	if len(list) == 1 {
		return list[0]
	}
	return &List{Elems: list}
}

// found returns the places of all matches; it looks once.
func (m *matcher) found(t *Thread) ([][]int, error) {
	if m.looked {
		return m.places, nil
	}
	var err error
	m.places, err = t.matches(m.re, m.s, -1)
	m.looked = err == nil
	return m.places, err
}

func (m *matcher) all(t *Thread) ([]Value, error) {
	places, err := m.found(t)
	if err != nil {
		return nil, err
	}
	m.next = len(places)
	out := make([]Value, len(places))
	for i, p := range places {
		out[i] = groups(groupsAt(m.s, p))
	}
	return out, t.Alloc(len(places) * (16 + 32*(m.re.re.NumSubexp()+1)))
}

func matcherMethods() methods {
	counted := on(0, 0, func(t *Thread, m *matcher, _ []Value) (Value, error) {
		places, err := m.found(t)
		return int64(len(places)), err
	})
	return methods{
		"matches": on(0, 0, func(t *Thread, m *matcher, _ []Value) (Value, error) {
			ok, err := t.fits(m.re, m.s)
			if ok && err == nil {
				m.places, m.looked, m.next = [][]int{m.re.full.FindStringSubmatchIndex(m.s)}, true, 1
			}
			return ok, err
		}),
		"lookingAt": on(0, 0, func(t *Thread, m *matcher, _ []Value) (Value, error) {
			places, err := m.found(t)
			return len(places) > 0 && places[0][0] == 0, err
		}),
		"find": on(0, 1, func(t *Thread, m *matcher, a []Value) (Value, error) {
			places, err := m.found(t)
			m.next++
			return m.next <= len(places), err
		}),
		"reset":      on(0, 0, func(_ *Thread, m *matcher, _ []Value) (Value, error) { m.next, m.looked = 0, false; return m, nil }),
		"hasGroup":   on(0, 0, func(_ *Thread, m *matcher, _ []Value) (Value, error) { return m.re.re.NumSubexp() > 0, nil }),
		"groupCount": on(0, 0, func(_ *Thread, m *matcher, _ []Value) (Value, error) { return int64(m.re.re.NumSubexp()), nil }),
		"getCount":   counted, "size": counted,
		"group": on(0, 1, func(t *Thread, m *matcher, a []Value) (Value, error) { return m.group(t, a) }),
		"start": on(0, 1, func(t *Thread, m *matcher, a []Value) (Value, error) { return m.edge(t, a, 0) }),
		"end":   on(0, 1, func(t *Thread, m *matcher, a []Value) (Value, error) { return m.edge(t, a, 1) }),
		"replaceAll": on(1, 1, func(t *Thread, m *matcher, a []Value) (Value, error) {
			return t.replacePattern(m.s, m.re, a[0], -1)
		}),
		"replaceFirst": on(1, 1, func(t *Thread, m *matcher, a []Value) (Value, error) {
			return t.replacePattern(m.s, m.re, a[0], 1)
		}),
		"pattern":   on(0, 0, func(_ *Thread, m *matcher, _ []Value) (Value, error) { return m.re, nil }),
		"asBoolean": on(0, 0, func(_ *Thread, m *matcher, _ []Value) (Value, error) { return Truth(m), nil }),
	}
}

// current is the place of the match that find or matches came to last.
func (m *matcher) current(t *Thread) ([]int, error) {
	places, err := m.found(t)
	if err != nil {
		return nil, err
	}
	if m.next < 1 || m.next > len(places) {
		return nil, Throw("IllegalStateException", "No match found")
	}
	return places[m.next-1], nil
}

// index is the number of the group that the arguments name.
func (m *matcher) index(a []Value) (int, error) {
	if len(a) == 0 {
		return 0, nil
	}
	n := toInt(a[0])
	if s, ok := a[0].(string); ok {
		if n = int64(m.re.re.SubexpIndex(s)); n < 0 {
			return 0, Throw("IllegalArgumentException", "No group with name <%s>", s)
		}
	}
	if n < 0 || n > int64(m.re.re.NumSubexp()) {
		return 0, Throw("IndexOutOfBoundsException", "No group %d", n)
	}
	return int(n), nil
}

func (m *matcher) group(t *Thread, a []Value) (Value, error) {
	place, err := m.current(t)
	if err != nil {
		return nil, err
	}
	n, err := m.index(a)
	if err != nil {
		return nil, err
	}
	return groupsAt(m.s, place)[n], nil
}

func (m *matcher) edge(t *Thread, a []Value, side int) (Value, error) {
	place, err := m.current(t)
	if err != nil {
		return nil, err
	}
	n, err := m.index(a)
	if err != nil {
		return nil, err
	}
	return int64(place[2*n+side]), nil
}
