package groovy

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

type kind int

const (
	tEOF     kind = iota
	tIdent        // names and keywords
	tNumber       // val is the number
	tString       // val is string
	tGString      // parts
	tOp           // text is the operator
)

// token is one lexeme. nl says that a line break that may end a statement
// lies before it, sp that any blank does.
type token struct {
	kind   kind
	text   string
	val    Value
	parts  []part
	pos    Pos
	off    int // where it begins in the source
	nl, sp bool
}

// part is a piece of a GString: text, or the tokens of an expression.
type part struct {
	text string
	toks []token
}

func (t token) String() string {
	switch t.kind {
	case tEOF:
		return "end of file"
	case tString, tGString:
		return "string"
	case tIdent, tNumber, tOp:
	}
	return "'" + t.text + "'"
}

const (
	maxSource  = 4 << 20
	maxNesting = 400
)

// lexer turns a source text into tokens. Inside ( and [ line breaks do not
// end statements; inside { they do again.
type lexer struct {
	file, src string
	off       int
	line, col int
	depth     int // of nested GString expressions
}

// operators, longest first.
func operators() []string {
	return []string{
		">>>=", "...", "..<", "<=>", "===", "!==", "==~", "**=", "<<=", ">>=", ">>>",
		"==", "!=", "<=", ">=", "&&", "||", "++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=",
		"?.", "?:", "*.", ".&", ".@", "..", "->", "=~", "<<", ">>", "**",
		"+", "-", "*", "/", "%", "=", "<", ">", "!", "~", "&", "|", "^", "?", ":", ".", ",", ";",
		"(", ")", "[", "]", "{", "}", "@",
	}
}

func lex(file, src string) ([]token, error) {
	l := &lexer{file: file, src: src, line: 1, col: 1}
	if len(src) > maxSource {
		return nil, l.errorf(Pos{1, 1}, "the file is larger than %d bytes", maxSource)
	}
	if strings.HasPrefix(src, "#!") {
		l.skipLine()
	}
	return l.run(false)
}

func (l *lexer) errorf(p Pos, format string, args ...any) error {
	return &Error{File: l.file, Pos: p, Msg: fmt.Sprintf(format, args...), Source: sourceLine(l.src, p.Line)}
}

func (l *lexer) pos() Pos { return Pos{l.line, l.col} }

func (l *lexer) peek(n int) byte {
	if l.off+n < len(l.src) {
		return l.src[l.off+n]
	}
	return 0
}

func (l *lexer) more() bool { return l.off < len(l.src) }

func (l *lexer) has(s string) bool { return strings.HasPrefix(l.src[l.off:], s) }

// next consumes one character.
func (l *lexer) next() rune {
	r, n := utf8.DecodeRuneInString(l.src[l.off:])
	l.off += n
	if r == '\n' {
		l.line++
		l.col = 1
	} else {
		l.col++
	}
	return r
}

func (l *lexer) skip(n int) {
	for range n {
		l.next()
	}
}

func (l *lexer) skipLine() {
	for l.more() && l.peek(0) != '\n' {
		l.next()
	}
}

// blank consumes white space and comments.
func (l *lexer) blank() (nl, sp bool, err error) {
	for l.more() {
		switch c := l.peek(0); {
		case c == '\n':
			nl, sp = true, true
			l.next()
		case c == ' ' || c == '\t' || c == '\r' || c == '\f':
			sp = true
			l.next()
		case c == '\\' && (l.peek(1) == '\n' || l.peek(1) == '\r' && l.peek(2) == '\n'):
			sp = true
			for l.peek(0) != '\n' {
				l.next()
			}
			l.next()
		case l.has("//"):
			sp = true
			l.skipLine()
		case l.has("/*"):
			p := l.pos()
			end := strings.Index(l.src[l.off+2:], "*/")
			if end < 0 {
				return nl, sp, l.errorf(p, "comment is not closed")
			}
			sp = true
			for stop := l.off + end + 4; l.off < stop; {
				if l.next() == '\n' {
					nl = true
				}
			}
		case l.has("\ufeff"):
			l.next()
		default:
			return nl, sp, nil
		}
	}
	return nl, sp, nil
}

// run lexes to the end, or, inside a GString, to the closing brace.
func (l *lexer) run(inString bool) ([]token, error) {
	var toks []token
	var open []byte
	ops := operators()
	for {
		nl, sp, err := l.blank()
		if err != nil {
			return nil, err
		}
		if n := len(open); n > 0 && open[n-1] != '{' {
			nl = false
		}
		t := token{pos: l.pos(), off: l.off, nl: nl, sp: sp}
		if !l.more() {
			if inString {
				return nil, l.errorf(t.pos, "'}' is missing in the string")
			}
			return append(toks, t), nil
		}
		if inString && len(open) == 0 && l.peek(0) == '}' {
			return append(toks, t), nil
		}
		if err := l.lexeme(&t, toks, ops); err != nil {
			return nil, err
		}
		if t.kind == tOp {
			switch t.text {
			case "(", "[", "{":
				open = append(open, t.text[0])
				if len(open) > maxNesting {
					return nil, l.errorf(t.pos, "brackets are nested too deep")
				}
			case ")", "]", "}":
				if len(open) > 0 {
					open = open[:len(open)-1]
				}
			}
		}
		toks = append(toks, t)
	}
}

func (l *lexer) lexeme(t *token, before []token, ops []string) error {
	c := l.peek(0)
	r, _ := utf8.DecodeRuneInString(l.src[l.off:])
	switch {
	case c >= '0' && c <= '9':
		return l.number(t)
	case l.has("$/") && operandNext(before):
		l.skip(2)
		return l.text(t, "/$", true, false)
	case r == '_' || r == '$' || r != utf8.RuneError && unicode.IsLetter(r):
		t.kind = tIdent
		t.text = l.ident()
		return nil
	case l.has(`"""`), l.has("'''"):
		quote := l.src[l.off : l.off+3]
		l.skip(3)
		return l.text(t, quote, c == '"', true)
	case c == '"' || c == '\'':
		l.next()
		return l.text(t, string(c), c == '"', true)
	case c == '/' && operandNext(before):
		l.next()
		return l.text(t, "/", true, false)
	}
	for _, op := range ops {
		if l.has(op) {
			t.kind, t.text = tOp, op
			l.skip(len(op))
			return nil
		}
	}
	return l.errorf(t.pos, "unexpected char: '%c'", r)
}

// operandNext says whether an operand may follow, so that a slash opens a
// string instead of dividing.
func operandNext(before []token) bool {
	if len(before) == 0 {
		return true
	}
	switch t := before[len(before)-1]; t.kind {
	case tOp:
		return t.text != ")" && t.text != "]" && t.text != "}" && t.text != "++" && t.text != "--"
	case tIdent:
		switch t.text {
		case "return", "in", "case", "assert", "throw", "else":
			return true
		}
	case tEOF, tNumber, tString, tGString:
	}
	return false
}

func (l *lexer) ident() string {
	start := l.off
	for l.more() {
		r, _ := utf8.DecodeRuneInString(l.src[l.off:])
		if r == utf8.RuneError || r != '_' && r != '$' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			break
		}
		l.next()
	}
	return l.src[start:l.off]
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' || c == '_' }

func (l *lexer) digits(also string) {
	for l.more() && (isDigit(l.peek(0)) || strings.IndexByte(also, l.peek(0)) >= 0) {
		l.next()
	}
}

func (l *lexer) number(t *token) error {
	start := l.off
	t.kind = tNumber
	base := 10
	switch {
	case l.has("0x"), l.has("0X"):
		base = 16
		l.skip(2)
		l.digits("abcdefABCDEF")
	case l.has("0b"), l.has("0B"):
		base = 2
		l.skip(2)
		l.digits("")
	default:
		l.digits("")
	}
	fraction := base == 10 && l.fraction()
	t.text = l.src[start:l.off]
	digits := strings.ReplaceAll(t.text, "_", "")
	suffix := byte(0)
	if strings.IndexByte("lLiIgGfFdD", l.peek(0)) >= 0 && l.more() && base != 16 || strings.IndexByte("lLiIgG", l.peek(0)) >= 0 && l.more() {
		suffix = l.peek(0) | 0x20
		l.next()
	}
	if r, _ := utf8.DecodeRuneInString(l.src[l.off:]); l.more() && (r == '_' || unicode.IsLetter(r) && r != utf8.RuneError) {
		return l.errorf(t.pos, "unexpected '%c' after the number %s", r, t.text)
	}
	if !fraction && base == 10 && len(digits) > 1 && digits[0] == '0' && suffix != 'f' && suffix != 'd' {
		base = 8
	}
	v, ok := numberValue(digits, base, fraction, suffix)
	if !ok {
		return l.errorf(t.pos, "invalid number %s", t.text)
	}
	t.val = v
	return nil
}

// fraction lexes what follows the whole part: .5 and e10.
func (l *lexer) fraction() bool {
	found := false
	if l.peek(0) == '.' && l.peek(1) >= '0' && l.peek(1) <= '9' {
		found = true
		l.next()
		l.digits("")
	}
	if c := l.peek(0); c == 'e' || c == 'E' {
		n := 1
		if l.peek(1) == '-' || l.peek(1) == '+' {
			n = 2
		}
		if d := l.peek(n); d >= '0' && d <= '9' {
			found = true
			l.skip(n)
			l.digits("")
		}
	}
	return found
}

// numberValue is the value of a literal: an Integer or the smallest wider type
// that holds it, a BigDecimal when it has a fraction, or what the suffix says.
func numberValue(digits string, base int, fraction bool, suffix byte) (Value, bool) {
	if fraction || suffix == 'f' || suffix == 'd' {
		d, ok := parseDecimal(digits)
		if !ok || suffix == 'l' || suffix == 'i' {
			return nil, false
		}
		switch suffix {
		case 'f':
			f, err := strconv.ParseFloat(digits, 32)
			return Float(f), err == nil
		case 'd':
			f, err := strconv.ParseFloat(digits, 64)
			return f, err == nil
		}
		return d, true
	}
	if base != 10 {
		digits = strings.TrimLeft(digits, "0xXbB")
		if digits == "" {
			digits = "0"
		}
	}
	n, ok := new(big.Int).SetString(digits, base)
	if !ok || len(digits) > maxScale {
		return nil, false
	}
	bits := n.BitLen()
	if base != 10 && suffix == 0 && bits == 32 { // 0xffffffff is -1
		return int64(int32(uint32(n.Uint64()))), true
	}
	if base != 10 && bits == 64 && suffix != 'g' && suffix != 'i' {
		return Long(int64(n.Uint64())), true
	}
	switch {
	case suffix == 'g':
		return n, true
	case suffix == 'l':
		return Long(n.Int64()), bits < 64
	case suffix == 'i':
		return n.Int64(), bits < 32
	case bits < 32:
		return n.Int64(), true
	case bits < 64:
		return Long(n.Int64()), true
	}
	return n, true
}

// text lexes the rest of a string up to quote. gstring allows $name and
// ${...}; escapes is false for slashy strings, where only \/ is special.
func (l *lexer) text(t *token, quote string, gstring, escapes bool) error {
	var parts []part
	var b strings.Builder
	for {
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
			t.kind, t.parts = tGString, parts
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
