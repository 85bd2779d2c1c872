package groovy

import "unicode"

// group is what parentheses hold, with its quantifier; nil when they only set
// flags.
func (p *patternParser) group() *patternNode {
	flags := p.flags
	var n, body *patternNode
	if p.next() != '?' {
		n = p.capture("")
	} else {
		n = &patternNode{op: opLook}
		switch c := p.skip(); c {
		case ':':
			n.op = opCat
		case '=', '!':
			n.negative = c == '!'
		case '>':
			n.op = opAtomic
		case '<':
			if c = p.read(); c == '=' || c == '!' {
				n.behind, n.negative = true, c == '!'
				break
			}
			n = p.capture(p.groupName(c))
		case '$', '@':
			p.fail("Unknown group type")
		default:
			p.at--
			if p.setFlags() {
				return nil
			}
			n.op = opCat
		}
	}
	body = p.alternatives()
	n.subs = []*patternNode{body}
	if n.behind && !lookedBehind(body).known {
		p.fail("Look-behind group does not have an obvious maximum length")
	}
	if p.read() != ')' {
		p.fail("Unclosed group")
	}
	p.flags = flags
	return p.repeated(n)
}

// capture opens the next group, which may have a name.
func (p *patternParser) capture(name string) *patternNode {
	if name != "" {
		if _, ok := p.names[name]; ok {
			p.fail("Named capturing group <" + name + "> is already defined")
		}
		p.names[name] = p.groups
	}
	p.groups++
	return &patternNode{op: opGroup, n: p.groups - 1}
}

func (p *patternParser) groupName(c rune) string {
	if !isLetter(c) {
		p.fail("capturing group name does not start with a Latin letter")
	}
	var name []rune
	for ; isLetter(c) || isNumeral(c); c = p.read() {
		name = append(name, c)
	}
	if c != '>' {
		p.fail("named capturing group is missing trailing '>'")
	}
	return string(name)
}

// setFlags reads the flags of (?i-m) and (?i:x); true for the first kind.
func (p *patternParser) setFlags() bool {
	off := false
	for c := p.peek(); ; c = p.next() {
		if c == '-' && !off {
			off = true
			continue
		}
		flag := map[rune]int{'d': flagUnix, 'i': flagCase, 'x': flagComments, 'm': flagLines, 's': flagDotAll, 'u': flagUnicodeCase, 'c': flagCanonical, 'U': flagClasses}[c]
		switch {
		case c == 'c':
			p.fail("CANON_EQ is not supported")
		case flag == 0:
			if c = p.read(); c != ')' && c != ':' {
				p.fail("Unknown inline modifier")
			}
			return c == ')'
		case off:
			p.flags &^= flag
		case c == 'U':
			p.flags |= flagUnicodeCase | flag
		default:
			p.flags |= flag
		}
	}
}

// class is what brackets hold. Where closed is false it is a part of one, to
// the right of &&, and ends before the bracket.
func (p *patternParser) class(closed bool) ranges {
	p.enter()
	defer func() { p.depth-- }()
	var all, last ranges // last is the latest part that is no single character
	some, negated := false, false
	for c := p.next(); ; c = p.peek() {
		switch {
		case c == '^' && p.char(p.at-1) == '[' && !some && !negated:
			negated = true
			p.next()
			continue
		case c == '[':
			last = p.class(true)
			all, some = append(all, last...), true
			continue
		case c == '&' && p.ampersand():
			all, last = p.intersection(all, last, some)
			some = true
			continue
		case c == 0 && p.at >= len(p.src):
			p.fail("Unclosed character class")
		case c == ']' && some:
			if closed {
				p.next()
			}
			if negated {
				return p.counted(all.others())
			}
			return p.counted(all)
		}
		r, single := p.classRange()
		if !single {
			last = r
		}
		all, some = append(all, r...), true
	}
}

// ampersand says whether a second & follows.
func (p *patternParser) ampersand() bool {
	at := p.at
	c := p.next()
	p.at = at
	return c == '&'
}

// intersection is all && what follows.
func (p *patternParser) intersection(all, last ranges, some bool) (ranges, ranges) {
	p.next() // the second &
	var right ranges
	given := false
	for c := p.next(); c != ']' && c != '&'; c = p.peek() {
		if c == '[' {
			right = append(right, p.class(true)...)
		} else {
			p.at--
			right = append(right, p.class(false)...)
		}
		given = true
	}
	switch {
	case !some && !given:
		p.fail("Bad class syntax")
	case !some:
		return right, right
	case given:
		last = right
	case last == nil:
		return all, all
	}
	return all.and(last), last
}

// counted is r, tidied, when there is room for it.
func (p *patternParser) counted(r ranges) ranges {
	r = r.tidied()
	if p.room -= len(r) + 1; p.room < 0 {
		p.fail("Too many characters in classes")
	}
	return r
}

// classRange is a character, a range or an escape within a class; single says
// that it is the first.
func (p *patternParser) classRange() (r ranges, single bool) {
	c := p.peek()
	if c == '\\' {
		x := p.char(p.at + 1)
		if x == 'p' || x == 'P' {
			p.at++
			return p.property(), false
		}
		var n *patternNode
		if c, n = p.escape(true, p.char(p.at+2) == '-'); n != nil {
			return n.set.ranges, false
		}
	} else {
		p.next()
	}
	if p.peek() != '-' {
		return p.folded(c), true
	}
	switch p.char(p.at + 1) {
	case '[', ']':
		return p.folded(c), true
	}
	p.next()
	to := p.peek()
	if to == '\\' {
		var n *patternNode
		if to, n = p.escape(true, true); n != nil {
			to = -1
		}
	} else {
		p.next()
	}
	if to < c {
		p.fail("Illegal character range")
	}
	return p.foldedRange(c, to), false
}

// foldedRange is from-to, and where case does not matter what has an equal in it.
func (p *patternParser) foldedRange(from, to rune) ranges {
	r := ranges{from, to}
	if !p.has(flagCase) {
		return r
	}
	in := func(c rune) bool { return c >= from && c <= to }
	for c := 'a'; c <= 'z'; c++ {
		if in(c) || in(c-0x20) {
			r = append(r, c, c, c-0x20, c-0x20)
		}
	}
	if p.has(flagUnicodeCase) {
		if p.cased == nil {
			p.cased = fromTables(unicode.Lu, unicode.Ll, unicode.Lt, unicode.Mn, unicode.Nl, unicode.So)
		}
		p.room -= len(p.cased)
		for i := 0; i < len(p.cased); i += 2 {
			for c := p.cased[i]; c <= p.cased[i+1]; c++ {
				if in(unicode.ToUpper(c)) || in(lowerOf(c)) {
					r = append(r, c, c)
				}
			}
		}
	}
	return p.counted(r)
}
