package groovy

import (
	"strings"
	"unicode"
	"unicode/utf16"
)

// escape reads what a backslash begins: a character, or else a node. In a
// class a node is a set; ranged says that a range may begin or end there.
func (p *patternParser) escape(class, ranged bool) (rune, *patternNode) {
	c := p.skip()
	switch c {
	case 'd', 'D', 's', 'S', 'w', 'W', 'h', 'H', 'v', 'V':
		if c == 'v' && ranged && class {
			return '\v', nil
		}
		r := p.escapeClass(unicode.ToLower(c))
		if unicode.IsUpper(c) {
			r = r.others()
		}
		return 0, &patternNode{op: opSet, set: newCharset(p.counted(r))}
	case '0':
		return p.octal(), nil
	case 'a':
		return '\a', nil
	case 'c':
		if p.at >= len(p.src) {
			p.fail("Illegal control escape sequence")
		}
		return p.read() ^ 64, nil
	case 'e':
		return 0x1b, nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		return p.unicodeEscape(), nil
	case 'x':
		return p.hexadecimal(), nil
	}
	if n := p.placeEscape(c); n != nil && !class {
		return 0, n
	} else if n != nil || isLetter(c) || isNumeral(c) {
		p.fail("Illegal/unsupported escape sequence")
	}
	return c, nil
}

// placeEscape is an escape that no class may have; nil when c is none.
func (p *patternParser) placeEscape(c rune) *patternNode {
	switch c {
	case 'A', 'B', 'G', 'Z', 'z':
		return p.place(c)
	case 'b':
		if p.peek() == '{' && p.char(p.at+1) == 'g' {
			p.fail("\\b{g} is not supported")
		}
		return p.place(c)
	case 'R':
		return &patternNode{op: opAlt, line: true, subs: []*patternNode{
			{op: opCat, subs: []*patternNode{{op: opChar, char: '\r'}, {op: opChar, char: '\n'}}},
			{op: opSet, set: newCharset(ranges{'\n', '\r', 0x85, 0x85, 0x2028, 0x2029})},
		}}
	case 'N', 'X':
		p.fail("\\" + string(c) + " is not supported")
	case 'k':
		if p.read() != '<' {
			p.fail("\\k is not followed by '<' for named capturing group")
		}
		name := p.groupName(p.read())
		if _, ok := p.names[name]; !ok {
			p.fail("named capturing group <" + name + "> does not exist")
		}
		return &patternNode{op: opRef, n: p.names[name], flags: p.flags}
	}
	if c < '1' || c > '9' {
		return nil
	}
	n := int(c - '0')
	for x := p.peek(); isNumeral(x) && n*10+int(x-'0') < p.groups; x = p.peek() { // as many digits as name a group
		n = n*10 + int(x-'0')
		p.read()
	}
	return &patternNode{op: opRef, n: n, flags: p.flags}
}

func isOctal(c rune) bool { return c >= '0' && c <= '7' }

func (p *patternParser) octal() rune {
	n := p.read()
	if !isOctal(n) {
		p.fail("Illegal octal escape sequence")
	}
	m := p.read()
	if !isOctal(m) {
		p.at--
		return n - '0'
	}
	o := p.read()
	if !isOctal(o) || n > '3' {
		p.at--
		return (n-'0')*8 + m - '0'
	}
	return (n-'0')*64 + (m-'0')*8 + o - '0'
}

// hexDigit is the value of a digit; -1 when c is none.
func hexDigit(c rune) rune {
	switch {
	case isNumeral(c):
		return c - '0'
	case c|0x20 >= 'a' && c|0x20 <= 'f' && c < 128:
		return c | 0x20 - 'a' + 10
	}
	return -1
}

func (p *patternParser) hexadecimal() rune {
	n := p.read()
	if a := hexDigit(n); a >= 0 {
		if b := hexDigit(p.read()); b >= 0 {
			return a<<4 + b
		}
	} else if n == '{' && hexDigit(p.peek()) >= 0 {
		c := rune(0)
		for n = p.read(); hexDigit(n) >= 0; n = p.read() {
			if c = c<<4 + hexDigit(n); c > unicode.MaxRune {
				p.fail("Hexadecimal codepoint is too big")
			}
		}
		if n != '}' {
			p.fail("Unclosed hexadecimal escape sequence")
		}
		return c
	}
	p.fail("Illegal hexadecimal escape sequence")
	return 0
}

// unicodeEscape is \uXXXX, or two that make one character.
func (p *patternParser) unicodeEscape() rune {
	c := p.fourDigits()
	if utf16.IsSurrogate(c) {
		at := p.at
		if p.read() == '\\' && p.read() == 'u' {
			if both := utf16.DecodeRune(c, p.fourDigits()); both != unicode.ReplacementChar {
				return both
			}
		}
		p.at = at
	}
	return c
}

func (p *patternParser) fourDigits() rune {
	n := rune(0)
	for range 4 {
		d := hexDigit(p.read())
		if d < 0 {
			p.fail("Illegal Unicode escape sequence")
		}
		n = n<<4 + d
	}
	return n
}

// property is \p{Alpha}, \pL and their like; the place is at the letter p.
func (p *patternParser) property() ranges {
	negated := p.char(p.at) == 'P'
	var name string
	if p.next() != '{' {
		name = string(p.char(p.at))
		p.read()
	} else {
		p.next()
		from := p.at
		for p.read() != '}' {
			if p.at > len(p.src) {
				p.fail("Unclosed character family")
			}
		}
		if name = string(p.src[from : p.at-1]); name == "" {
			p.fail("Empty character family")
		}
	}
	key := string(rune(p.flags)) + name
	r, ok := p.known[key]
	if !ok {
		r = p.named(name).tidied()
		p.known[key] = r
	}
	if negated {
		r = r.others()
	}
	return p.counted(r[:len(r):len(r)])
}

// named are the characters of a property.
func (p *patternParser) named(name string) ranges {
	var r ranges
	if id, val, ok := strings.Cut(name, "="); ok {
		switch id = strings.ToLower(id); id {
		case "sc", "script":
			r = unicodeScript(val)
		case "blk", "block":
			r = unicodeBlock(val)
		case "gc", "general_category":
			r = p.generalClass(val)
		}
		if r == nil {
			p.fail("Unknown Unicode property {name=<" + id + ">, value=<" + val + ">}")
		}
		return r
	}
	if id, ok := strings.CutPrefix(name, "In"); ok {
		r = unicodeBlock(id)
	} else if id, ok := strings.CutPrefix(name, "Is"); ok {
		if r = p.unicodeClass(strings.ToUpper(id)); r == nil {
			r = p.unicodePosix(id)
		}
		if r == nil {
			r = p.generalClass(id)
		}
		if r == nil {
			r = unicodeScript(id)
		}
	} else {
		if p.has(flagClasses) {
			r = p.unicodePosix(name)
		}
		if r == nil {
			r = p.generalClass(name)
		}
	}
	if r == nil {
		p.fail("Unknown character property name {" + name + "}")
	}
	return r
}

// unicodePosix is \p{IsAlpha} and its like, and \p{Alpha} with
// UNICODE_CHARACTER_CLASS.
func (p *patternParser) unicodePosix(name string) ranges {
	switch name = strings.ToUpper(name); name {
	case "ALPHA":
		name = "ALPHABETIC"
	case "LOWER", "UPPER":
		name += "CASE"
	case "SPACE":
		name = "WHITE_SPACE"
	case "PUNCT":
		name = "PUNCTUATION"
	case "XDIGIT":
		name = "HEX_DIGIT"
	case "CNTRL":
		name = "CONTROL"
	case "ALNUM", "BLANK", "DIGIT", "GRAPH", "PRINT":
	default:
		return nil
	}
	return p.unicodeClass(name)
}
