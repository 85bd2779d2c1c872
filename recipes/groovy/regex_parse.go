package groovy

import (
	"strings"
	"unicode"
)

// patternOp says what a node of a pattern is.
type patternOp uint8

const (
	opChar   patternOp = iota // the character char
	opSet                     // one of set
	opCat                     // the subs, one after another
	opAlt                     // one of the subs, the first that leads to a match
	opGroup                   // sub, whose text group n takes
	opRepeat                  // sub, min to max times
	opLook                    // sub from here or up to here; nothing is consumed
	opAtomic                  // sub, whose first match is the only one
	opRef                     // the text of group n
	opPlace                   // a place: char is the letter of its escape, or ^ and $
)

const endless = -1 // max of a repetition without one

// patternNode is a piece of a pattern.
type patternNode struct {
	op       patternOp
	char     rune
	set      *charset
	subs     []*patternNode
	n        int
	min, max int
	lazy     bool
	line     bool // of opAlt: it is \R, of which Java thinks as of one character
	behind   bool
	negative bool
	flags    int // of the places and references: those that were on
}

// The flags of java.util.regex.Pattern.
const (
	flagUnix = 1 << iota
	flagCase
	flagComments
	flagLines
	flagLiteral
	flagDotAll
	flagUnicodeCase
	flagCanonical
	flagClasses
)

const (
	maxPatternNesting = 200 // groups and classes in each other
	// maxRanges bounds the ranges of characters that a pattern may name.
	maxRanges = 1 << 20
)

// patternParser reads a pattern as java.util.regex.Pattern does. Its place is
// where Java's is, too, because the errors name it.
type patternParser struct {
	src    []rune
	at     int
	flags  int
	groups int // opened till now, with the one of the whole match
	names  map[string]int
	depth  int
	room   int               // ranges that may still be named
	known  map[string]ranges // properties that were named, by their flags
	cased  ranges            // letters that may have another case, once they were asked for
}

// patternFault is what a pattern is refused for. It is thrown within the
// parser and caught by parsePattern.
type patternFault struct {
	what string
	at   int
}

func (p *patternParser) fail(what string) { panic(patternFault{what, p.at - 1}) }

// parsePattern reads src. The error is a PatternSyntaxException with the text
// that Java gives it.
func parsePattern(src string, flags int) (p *patternParser, n *patternNode, err error) {
	p = &patternParser{src: []rune(src), flags: flags, groups: 1, names: map[string]int{}, known: map[string]ranges{}, room: maxRanges}
	if p.has(flagClasses) {
		p.flags |= flagUnicodeCase
	}
	defer func() {
		if r := recover(); r != nil {
			f, ok := r.(patternFault)
			if !ok {
				panic(r)
			}
			err = f.error(src)
		}
	}()
	if p.has(flagCanonical) {
		p.fail("CANON_EQ is not supported")
	}
	if p.has(flagLiteral) {
		n = &patternNode{op: opCat}
		for _, c := range p.src {
			n.subs = append(n.subs, p.single(c))
		}
		return p, n, nil
	}
	p.src = unquoted(p.src)
	n = p.alternatives()
	if p.at != len(p.src) {
		if p.peek() == ')' {
			p.fail("Unmatched closing ')'")
		}
		p.fail("Unexpected internal error")
	}
	return p, n, nil
}

func (f patternFault) error(src string) error {
	var b strings.Builder
	b.WriteString(f.what)
	if f.at >= 0 {
		b.WriteString(" near index " + itoa(int64(f.at)))
	}
	b.WriteString("\n" + src)
	if line := []rune(src); f.at >= 0 && f.at < len(line) {
		b.WriteByte('\n')
		for _, c := range line[:f.at] {
			b.WriteRune(choose(c == '\t', '\t', ' '))
		}
		b.WriteByte('^')
	}
	return Throw("PatternSyntaxException", "%s", b.String())
}

func choose[T any](yes bool, a, b T) T {
	if yes {
		return a
	}
	return b
}

func isLetter(c rune) bool  { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isNumeral(c rune) bool { return c >= '0' && c <= '9' }

// unquoted writes the text between \Q and \E with a backslash before what
// would mean something.
func unquoted(src []rune) []rune {
	if !strings.Contains(string(src), `\Q`) {
		return src
	}
	var out []rune
	quoted, begins := false, false
	for i := 0; i < len(src); i++ {
		c := src[i]
		follows := func(x rune) bool { return c == '\\' && i+1 < len(src) && src[i+1] == x }
		switch {
		case !quoted && follows('Q'):
			quoted, begins = true, true
			i++
			continue
		case !quoted && c == '\\' && i+1 < len(src):
			i++
			out = append(out, c, src[i])
		case !quoted, c > unicode.MaxASCII, isLetter(c):
			out = append(out, c)
		case follows('E'):
			quoted = false
			i++
		case isNumeral(c) && begins: // \1 may stand before it
			out = append(out, '\\', 'x', '3', c)
		case isNumeral(c):
			out = append(out, c)
		default:
			out = append(out, '\\', c)
		}
		begins = false
	}
	return out
}

func (p *patternParser) has(flag int) bool { return p.flags&flag != 0 }

// char is the character at i, 0 beyond the end.
func (p *patternParser) char(i int) rune {
	if i >= 0 && i < len(p.src) {
		return p.src[i]
	}
	return 0
}

// peek is the next character; with (?x) white space and comments are skipped.
func (p *patternParser) peek() rune {
	c := p.char(p.at)
	for p.has(flagComments) {
		for c == ' ' || c >= '\t' && c <= '\r' {
			p.at++
			c = p.char(p.at)
		}
		if c != '#' {
			break
		}
		for c != 0 && c != '\n' && (p.has(flagUnix) || !isLineEnd(c)) {
			p.at++
			c = p.char(p.at)
		}
	}
	return c
}

func (p *patternParser) read() rune {
	c := p.peek()
	p.at++
	return c
}

// next steps over a character and is the one after it.
func (p *patternParser) next() rune {
	p.at++
	return p.peek()
}

// skip steps over two characters and is the second.
func (p *patternParser) skip() rune {
	p.at += 2
	return p.char(p.at - 1)
}

func (p *patternParser) enter() {
	if p.depth++; p.depth > maxPatternNesting {
		p.fail("Nested too deep")
	}
}

// alternatives is a|b|c.
func (p *patternParser) alternatives() *patternNode {
	p.enter()
	defer func() { p.depth-- }()
	n := p.sequence()
	if p.peek() != '|' {
		return n
	}
	alt := &patternNode{op: opAlt, subs: []*patternNode{n}}
	for p.peek() == '|' {
		p.next()
		alt.subs = append(alt.subs, p.sequence())
	}
	return alt
}

func (p *patternParser) sequence() *patternNode {
	list := &patternNode{op: opCat}
	for {
		var n *patternNode
		switch c := p.peek(); c {
		case '(':
			if n = p.group(); n != nil {
				list.subs = append(list.subs, n)
			}
			continue
		case '[':
			n = &patternNode{op: opSet, set: newCharset(p.class(true))}
		case '^', '$':
			n = p.place(c)
			p.next()
		case '.':
			p.next()
			n = &patternNode{op: opSet, set: newCharset(p.dot())}
		case '|', ')':
			return list
		case '?', '*', '+':
			p.next()
			p.fail("Dangling meta character '" + string(c) + "'")
		case 0:
			if p.at >= len(p.src) {
				return list
			}
			n = p.atom()
		default:
			n = p.atom()
		}
		list.subs = append(list.subs, p.repeated(n))
	}
}

func (p *patternParser) place(c rune) *patternNode {
	return &patternNode{op: opPlace, char: c, flags: p.flags}
}

func (p *patternParser) dot() ranges {
	switch {
	case p.has(flagDotAll):
		return ranges{0, unicode.MaxRune}
	case p.has(flagUnix):
		return ranges{'\n', '\n'}.others()
	}
	return lineEnds.others()
}

// atom is a text without operators, or one escape.
func (p *patternParser) atom() *patternNode {
	text := &patternNode{op: opCat}
	last := -1 // where its last character began
	for {
		switch c := p.peek(); c {
		case '*', '+', '?', '{':
			if len(text.subs) > 1 { // they are of the last character only
				p.at = last
				text.subs = text.subs[:len(text.subs)-1]
			}
			return only(text)
		case '$', '.', '^', '(', '[', '|', ')':
			return only(text)
		case '\\':
			if x := p.char(p.at + 1); x == 'p' || x == 'P' {
				if len(text.subs) > 0 {
					return only(text)
				}
				p.at++
				return &patternNode{op: opSet, set: newCharset(p.property())}
			}
			from := p.at
			c, n := p.escape(false, false)
			if n != nil {
				if len(text.subs) == 0 {
					return n
				}
				p.at = from
				return only(text)
			}
			last = from
			text.subs = append(text.subs, p.single(c))
		default:
			if c == 0 && p.at >= len(p.src) {
				return only(text)
			}
			last = p.at
			text.subs = append(text.subs, p.single(c))
			p.next()
		}
	}
}

func only(n *patternNode) *patternNode {
	if len(n.subs) == 1 {
		return n.subs[0]
	}
	return n
}

// single is the character c, in both cases where case does not matter.
func (p *patternParser) single(c rune) *patternNode {
	if r := p.folded(c); len(r) > 2 {
		return &patternNode{op: opSet, set: newCharset(r)}
	}
	return &patternNode{op: opChar, char: c}
}

// folded is c with what equals it where case does not matter.
func (p *patternParser) folded(c rune) ranges {
	r := ranges{c, c}
	switch {
	case !p.has(flagCase):
	case p.has(flagUnicodeCase):
		low := lowerOf(c)
		if low == unicode.ToUpper(c) {
			break
		}
		others := []rune{low, 'İ', 'ı'} // the last two no folding has
		for x := unicode.SimpleFold(low); x != low; x = unicode.SimpleFold(x) {
			others = append(others, x)
		}
		for _, x := range others {
			if x != c && lowerOf(x) == low {
				r = append(r, x, x)
			}
		}
	case isLetter(c):
		r = append(r, c^0x20, c^0x20)
	}
	return r
}

// lowerOf is what Java compares where case does not matter.
func lowerOf(c rune) rune { return unicode.ToLower(unicode.ToUpper(c)) }

// repeated is n with the quantifier that follows it.
func (p *patternParser) repeated(n *patternNode) *patternNode {
	least, most := 0, endless
	switch p.peek() {
	case '?':
		most = 1
	case '*':
	case '+':
		least = 1
	case '{':
		least, most = p.counts()
		p.at--
	default:
		return n
	}
	if n.line {
		n = &patternNode{op: opAtomic, subs: []*patternNode{n}}
	}
	r := &patternNode{op: opRepeat, subs: []*patternNode{n}, min: least, max: most}
	switch p.next() {
	case '?':
		p.next()
		r.lazy = true
	case '+': // each round is as final as all of them
		p.next()
		if n.one() == nil {
			r.subs[0] = &patternNode{op: opAtomic, subs: []*patternNode{n}}
		}
		return &patternNode{op: opAtomic, subs: []*patternNode{r}}
	}
	return r
}

// counts are those of {2}, {2,} and {2,5}; the place is behind them then.
func (p *patternParser) counts() (least, most int) {
	c := p.skip()
	if !isNumeral(c) {
		p.fail("Illegal repetition")
	}
	number := func() int {
		n := 0
		for ; isNumeral(c); c = p.read() {
			if n = n*10 + int(c-'0'); n > 1<<31-1 {
				p.fail("Illegal repetition range")
			}
		}
		return n
	}
	least = number()
	most = least
	if c == ',' {
		if c = p.read(); c == '}' {
			return least, endless
		}
		most = number()
	}
	if c != '}' {
		p.fail("Unclosed counted closure")
	}
	if most < least {
		p.fail("Illegal repetition range")
	}
	return least, most
}
