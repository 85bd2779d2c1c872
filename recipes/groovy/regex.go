package groovy

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// regex is a java.util.regex.Pattern. What it matches, and what its groups
// hold, is what Java tells; it is run by a machine that goes back as Java's
// does, and whose steps and memory count against the evaluation's limits.
type regex struct {
	src   string
	flags int
	prog  *patternProg
	names map[string]int // groups
	named int            // ranges of characters that its classes named
}

const (
	maxPattern = 10000 // characters
	// maxMatches bounds the groups of all matches that are kept at one time.
	maxMatches = 1 << 18
	// maxKept is how many patterns an evaluation keeps to use again.
	maxKept = 64
)

func compile(src string, flags int) (*regex, error) {
	if len(src) > maxPattern {
		return nil, Throw("PatternSyntaxException", "the pattern is too long")
	}
	p, n, err := parsePattern(src, flags)
	if err != nil {
		return nil, err
	}
	return &regex{src, p.flags, assemble(n, p.groups), p.names, maxRanges - p.room}, nil
}

// patternOf is v as a pattern to match with. It is no value to hand out: a
// script may get the same one twice.
func (t *Thread) patternOf(v Value) (*regex, error) {
	if re, ok := v.(*regex); ok {
		return re, nil
	}
	src, err := t.toString(v)
	if err != nil {
		return nil, err
	}
	if re, ok := t.patterns[src]; ok {
		return re, nil
	}
	re, err := t.newPattern(src, 0)
	if err != nil {
		return nil, err
	}
	if t.patterns == nil || len(t.patterns) == maxKept {
		t.patterns = map[string]*regex{}
	}
	t.patterns[src] = re
	return re, nil
}

// newPattern compiles a pattern of its own.
func (t *Thread) newPattern(src string, flags int) (*regex, error) {
	if err := t.charge(len(src) / 4); err != nil {
		return nil, err
	}
	re, err := compile(src, flags)
	if err != nil {
		return nil, first2(t.charge(len(src)*16), err)
	}
	if err := t.charge(re.named / 4); err != nil {
		return nil, err
	}
	return re, t.Alloc(64*len(re.prog.insts) + 4*re.named)
}

// patternValue is ~v and v as Pattern.
func (t *Thread) patternValue(v Value) (Value, error) {
	if re, ok := v.(*regex); ok {
		return re, nil
	}
	src, err := t.toString(v)
	if err != nil {
		return nil, err
	}
	re, err := t.newPattern(src, 0)
	if err != nil {
		return nil, err
	}
	return re, nil
}

// fits says whether all of s matches re.
func (t *Thread) fits(re *regex, s string) (bool, error) {
	place, err := t.search(re.prog, s, 0, 0, entire)
	return place != nil, err
}

// finds says whether re matches somewhere in s.
func (t *Thread) finds(re *regex, s string) (bool, error) {
	place, err := t.search(re.prog, s, 0, 0, anywhere)
	return place != nil, err
}

// matches returns the places of the first n matches (-1: of all) in s.
func (t *Thread) matches(re *regex, s string, n int) ([][]int, error) {
	m := newMatcher(re, s)
	var list [][]int
	for len(list) != n {
		ok, err := m.find(t)
		if err != nil || !ok {
			return list, err
		}
		if len(list)*re.prog.groups > maxMatches {
			return nil, fmt.Errorf("%w: a pattern matches more than %d times", ErrLimit, len(list))
		}
		list = append(list, m.place)
		if err := t.Alloc(24 + 16*re.prog.groups); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// expand adds with, a replacement as Java writes it, to b: $1 and ${name} are
// groups of the match at place.
func (re *regex) expand(b []byte, with, s string, place []int) ([]byte, error) {
	for i := 0; i < len(with); i++ {
		c := with[i]
		switch {
		case c == '\\':
			if i++; i == len(with) {
				return nil, Throw("IllegalArgumentException", "character to be escaped is missing")
			}
			b = append(b, with[i])
			continue
		case c != '$':
			b = append(b, c)
			continue
		}
		n, end, err := re.reference(with, i+1)
		if err != nil {
			return nil, err
		}
		if n >= re.prog.groups {
			return nil, Throw("IndexOutOfBoundsException", "No group %d", n)
		}
		if place[2*n] >= 0 {
			b = append(b, s[place[2*n]:place[2*n+1]]...)
		}
		i = end - 1
	}
	return b, nil
}

// reference is the group that a replacement names at i, behind the $, and
// where its name ends.
func (re *regex) reference(with string, i int) (n, end int, err error) {
	illegal := func(format string, a ...any) (int, int, error) {
		return 0, 0, Throw("IllegalArgumentException", format, a...)
	}
	if i == len(with) {
		return illegal("Illegal group reference: group index is missing")
	}
	if with[i] != '{' {
		if !isNumeral(rune(with[i])) {
			return illegal("Illegal group reference")
		}
		n = int(with[i] - '0')
		for i++; i < len(with) && isNumeral(rune(with[i])) && n*10+int(with[i]-'0') < re.prog.groups; i++ { // as many digits as name a group
			n = n*10 + int(with[i]-'0')
		}
		return n, i, nil
	}
	name := with[i+1:]
	size := strings.IndexFunc(name, func(c rune) bool { return !isLetter(c) && !isNumeral(c) })
	if size == 0 && name[0] == '}' {
		return illegal("named capturing group has 0 length name")
	}
	if size <= 0 || name[size] != '}' {
		return illegal("named capturing group is missing trailing '}'")
	}
	if name = name[:size]; isNumeral(rune(name[0])) {
		return illegal("capturing group name {%s} starts with digit character", name)
	}
	n, ok := re.names[name]
	if !ok {
		return illegal("No group with name {%s}", name)
	}
	return n, i + size + 2, nil
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

// matcher is a java.util.regex.Matcher: the matches of a pattern in s, and
// where it is among them. Places are in bytes; scripts see characters.
type matcher struct {
	re       *regex
	s        string
	from, to int     // its region
	first    int     // where the last match began; -1 when there was none
	last     int     // where the last match ended
	before   int     // where \G is; -1 before the first search
	place    []int   // of the groups of the last match
	appended int     // where appendReplacement goes on
	places   [][]int // of all matches, once somebody asked
	looked   bool
}

func newMatcher(re *regex, s string) *matcher {
	m := &matcher{re: re, s: s}
	m.reset(0, len(s))
	return m
}

// reset makes m as it was at first, for a region of its text.
func (m *matcher) reset(from, to int) {
	m.from, m.to, m.first, m.last, m.before, m.place, m.appended = from, to, -1, 0, -1, nil, 0
	m.looked, m.places = false, nil
}

// find goes to the next match.
func (m *matcher) find(t *Thread) (bool, error) {
	next := m.last
	if next == m.first { // it was empty
		next++
		if next < len(m.s) {
			_, n := utf8.DecodeRuneInString(m.s[m.last:])
			next = m.last + n
		}
	}
	if next = max(next, m.from); next > m.to {
		m.place = nil
		return false, nil
	}
	return m.search(t, next, anywhere)
}

// search looks for a match from a place on.
func (m *matcher) search(t *Thread, from int, kind searchKind) (bool, error) {
	if m.before < 0 {
		m.before = from
	}
	place, err := t.search(m.re.prog, m.s[m.from:m.to], from-m.from, m.before-m.from, kind)
	if err != nil {
		return false, err
	}
	for i := range place {
		if place[i] >= 0 {
			place[i] += m.from
		}
	}
	if m.place, m.first = place, -1; place != nil {
		m.first, m.last = place[0], place[1]
	}
	m.before = m.last
	return place != nil, nil
}

// found returns the places of all matches; it looks once.
func (m *matcher) found(t *Thread) ([][]int, error) {
	if !m.looked {
		places, err := t.matches(m.re, m.s, -1)
		if err != nil {
			return nil, err
		}
		m.places, m.looked = places, true
	}
	m.goTo(len(m.places))
	return m.places, nil
}

// goTo makes the match i of all the last one; after all of them there is none.
func (m *matcher) goTo(i int) {
	places := m.places
	m.reset(0, len(m.s))
	m.places, m.looked = places, true
	if i < len(places) {
		m.place = places[i]
		m.first, m.last = m.place[0], m.place[1]
	} else if i > 0 {
		m.last = places[i-1][1]
	}
	m.before = m.last
}

// all are all matches, as an iteration sees them.
func (m *matcher) all(t *Thread) ([]Value, error) {
	places, err := m.found(t)
	if err != nil {
		return nil, err
	}
	out := make([]Value, len(places))
	for i, p := range places {
		out[i] = groups(groupsAt(m.s, p))
	}
	return out, t.Alloc(len(places) * (16 + 32*m.re.prog.groups))
}

// at is matcher[i].
func (m *matcher) at(t *Thread, i int64) (Value, error) {
	places, err := m.found(t)
	if err != nil {
		return nil, err
	}
	n := int64(len(places))
	if i < -n || i >= n {
		return nil, Throw("IndexOutOfBoundsException", "index is out of range %d..%d (index = %d)", -n, n-1, i)
	}
	if i < 0 {
		i += n
	}
	m.goTo(int(i))
	return groups(groupsAt(m.s, m.place)), t.Alloc(16 + 32*m.re.prog.groups)
}

// String is what Java's Matcher.toString gives.
func (m *matcher) String() string {
	last := ""
	if m.first >= 0 && m.place != nil {
		last = m.s[m.place[0]:m.place[1]]
	}
	return fmt.Sprintf("java.util.regex.Matcher[pattern=%s region=%d,%d lastmatch=%s]", m.re.src, m.chars(m.from), m.chars(m.to), last)
}

// chars is a place in the text as scripts count.
func (m *matcher) chars(place int) int64 { return int64(utf8.RuneCountInString(m.s[:place])) }

// bytes is the place of the nth character; false when the text has none.
func (m *matcher) bytes(n int64) (int, bool) {
	for i := range m.s {
		if n == 0 {
			return i, true
		}
		n--
	}
	return len(m.s), n == 0
}

func patternFlags() map[string]Value {
	list := map[string]Value{}
	for name, bit := range map[string]int{"UNIX_LINES": flagUnix, "CASE_INSENSITIVE": flagCase, "COMMENTS": flagComments, "MULTILINE": flagLines, "LITERAL": flagLiteral,
		"DOTALL": flagDotAll, "UNICODE_CASE": flagUnicodeCase, "CANON_EQ": flagCanonical, "UNICODE_CHARACTER_CLASS": flagClasses} {
		list[name] = int64(bit)
	}
	return list
}
