package groovy

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// text lexes the rest of a string up to quote. gstring allows $name and
// ${...}; escapes is false for slashy strings, where only \/ is special.
func (l *lexer) text(t *token, quote string, gstring, escapes bool) error {
	var parts []part
	var b strings.Builder
	for {
		b.WriteString(l.plain())
		switch {
		case !l.more() || len(quote) == 1 && quote != "/" && l.peek(0) == '\n':
			return l.errorf(t.pos, "string is not closed")
		case l.has(quote):
			l.skip(len(quote))
			if len(parts) == 0 {
				t.kind, t.val = tString, b.String()
				return nil
			}
			if b.Len() > 0 {
				parts = append(parts, part{text: b.String()})
			}
			t.kind, t.val = tGString, parts
			return nil
		case l.peek(0) == '\\' && escapes:
			if err := l.escape(&b); err != nil {
				return err
			}
		case quote == "/" && l.has(`\/`):
			l.skip(2)
			b.WriteByte('/')
		case quote == "/$" && (l.has("$$") || l.has("$/")):
			l.next()
			b.WriteRune(l.next())
		case gstring && l.peek(0) == '$' && (l.peek(1) == '{' || startsName(l.peek(1))):
			if b.Len() > 0 {
				parts = append(parts, part{text: b.String()})
				b.Reset()
			}
			toks, err := l.interpolation()
			if err != nil {
				return err
			}
			parts = append(parts, part{toks: toks})
		default:
			b.WriteRune(l.next())
		}
	}
}

// plain consumes what is nothing but text in every kind of string.
func (l *lexer) plain() string {
	start := l.off
	for l.off < len(l.src) {
		switch c := l.src[l.off]; {
		case c == '"', c == '\'', c == '\\', c == '/', c == '$', c == '\n', c >= utf8.RuneSelf:
			return l.src[start:l.off]
		}
		l.ascii(1)
	}
	return l.src[start:l.off]
}

func startsName(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// interpolation lexes $a.b.c or ${expression} into tokens that end with tEOF.
func (l *lexer) interpolation() ([]token, error) {
	l.next() // $
	if l.peek(0) == '{' {
		p := l.pos()
		l.next()
		if l.depth++; l.depth > 20 {
			return nil, l.errorf(p, "strings are nested too deep")
		}
		toks, err := l.run(true)
		l.depth--
		if err != nil {
			return nil, err
		}
		l.next() // }
		return toks, nil
	}
	var toks []token
	for {
		t := token{kind: tIdent, pos: l.pos(), off: l.off}
		start := l.off
		for startsName(l.peek(0)) || l.off > start && l.peek(0) >= '0' && l.peek(0) <= '9' {
			l.next()
		}
		t.text = l.src[start:l.off]
		toks = append(toks, t)
		if l.peek(0) != '.' || !startsName(l.peek(1)) {
			return append(toks, token{pos: l.pos()}), nil
		}
		toks = append(toks, token{kind: tOp, text: ".", pos: l.pos()})
		l.next()
	}
}

func (l *lexer) escape(b *strings.Builder) error {
	p := l.pos()
	l.next()
	if !l.more() {
		return l.errorf(p, "string is not closed")
	}
	switch r := l.next(); r {
	case 'n':
		b.WriteByte('\n')
	case 't':
		b.WriteByte('\t')
	case 'r':
		b.WriteByte('\r')
	case 'b':
		b.WriteByte('\b')
	case 'f':
		b.WriteByte('\f')
	case '0', '1', '2', '3', '4', '5', '6', '7':
		n := r - '0'
		for i := 0; i < 2 && l.peek(0) >= '0' && l.peek(0) <= '7' && n*8+rune(l.peek(0)-'0') <= 255; i++ {
			n = n*8 + l.next() - '0'
		}
		b.WriteRune(n)
	case '\\', '\'', '"', '$', '/':
		b.WriteRune(r)
	case '\n':
	case '\r':
		if l.peek(0) == '\n' {
			l.next()
		}
	case 'u':
		if l.off+4 > len(l.src) {
			return l.errorf(p, "invalid escape in string")
		}
		for l.peek(0) == 'u' {
			l.next()
		}
		if l.off+4 > len(l.src) {
			return l.errorf(p, "invalid escape in string")
		}
		n, err := strconv.ParseUint(l.src[l.off:l.off+4], 16, 32)
		if err != nil {
			return l.errorf(p, "invalid escape in string")
		}
		l.skip(4)
		b.WriteRune(rune(n))
	default:
		return l.errorf(p, "unexpected char: '\\' (escape \\%c is unknown)", r)
	}
	return nil
}
