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
	tree, err := syntax.Parse(src, syntax.Perl)
	if err != nil {
		return nil, Throw("PatternSyntaxException", "%v", err)
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
	return &regex{src, re, full, size}, nil
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
	t.steps += int64(len(s)) * int64(re.size) / 64
	return t.step(t.pos)
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
	re     *regex
	s      string
	next   int     // matches already found
	places [][]int // of all matches, once somebody asked
	looked bool
}

// groupsAt returns the texts of one match; a group that took no part is empty.
func groupsAt(s string, place []int) []string {
	out := make([]string, 0, len(place)/2)
	for i := 0; i < len(place); i += 2 {
		g := ""
		if place[i] >= 0 {
			g = s[place[i]:place[i+1]]
		}
		out = append(out, g)
	}
	return out
}

func groups(list []string) Value {
	if len(list) == 1 {
		return list[0]
	}
	return words(list)
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
	out := make([]Value, len(places))
	for i, p := range places {
		out[i] = groups(groupsAt(m.s, p))
	}
	return out, t.Alloc(len(places) * (16 + 32*(m.re.re.NumSubexp()+1)))
}

func (m *matcher) call(t *Thread, id string, args []Value) (Value, error) {
	switch id {
	case "matches":
		return t.fits(m.re, m.s)
	case "groupCount":
		return int64(m.re.re.NumSubexp()), nil
	case "hasGroup":
		return m.re.re.NumSubexp() > 0, nil
	case "replaceAll":
		if len(args) == 1 {
			return t.replacePattern(m.s, m.re, id, []Value{m.re, args[0]})
		}
	case "find", "getCount", "size", "group":
		places, err := m.found(t)
		if err != nil {
			return nil, err
		}
		switch id {
		case "find":
			m.next++
			return m.next <= len(places), nil
		case "group":
			return m.group(places, args)
		}
		return int64(len(places)), nil
	}
	return nil, noMethod(m, id, args)
}

// group is group(n) of the match that find came to last, or of the first.
func (m *matcher) group(places [][]int, args []Value) (Value, error) {
	n, i := int64(0), max(m.next, 1)-1
	if len(args) == 1 {
		n, _ = args[0].(int64)
	}
	if i >= len(places) || n < 0 || n > int64(m.re.re.NumSubexp()) {
		return nil, Throw("IllegalStateException", "No match found")
	}
	return groupsAt(m.s, places[i])[n], nil
}
