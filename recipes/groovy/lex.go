package groovy

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

type kind uint8

const (
	tEOF     kind = iota
	tIdent        // names and keywords
	tNumber       // val is the number
	tString       // val is string
	tGString      // val is []part
	tOp           // text is the operator
)

// token is one lexeme. nl says that a line break that may end a statement
// lies before it, sp that any blank does.
type token struct {
	text   string
	val    Value
	pos    Pos
	off    int // where it begins in the source
	kind   kind
	nl, sp bool
}

// part is a piece of a GString: text, or the tokens of an expression.
type part struct {
	text string
	toks []token
}

// parts are the pieces of a GString.
func (t *token) parts() []part {
	parts, _ := t.val.([]part)
	return parts
}

func (t *token) String() string {
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

// operators are the operators that begin with c, longest first.
func operators(c byte) []string {
	switch c {
	case '>':
		return []string{">>>=", ">>=", ">>>", ">=", ">>", ">"}
	case '.':
		return []string{"...", "..<", "..", ".&", ".@", "."}
	case '<':
		return []string{"<=>", "<<=", "<=", "<<", "<"}
	case '=':
		return []string{"===", "==~", "==", "=~", "="}
	case '!':
		return []string{"!==", "!=", "!"}
	case '*':
		return []string{"**=", "*=", "*.", "**", "*"}
	case '&':
		return []string{"&&", "&=", "&"}
	case '|':
		return []string{"||", "|=", "|"}
	case '+':
		return []string{"++", "+=", "+"}
	case '-':
		return []string{"--", "-=", "->", "-"}
	case '/':
		return []string{"/=", "/"}
	case '%':
		return []string{"%=", "%"}
	case '^':
		return []string{"^=", "^"}
	case '?':
		return []string{"?.", "?:", "?"}
	case '~', ':', ',', ';', '(', ')', '[', ']', '{', '}', '@':
		return []string{string(rune(c))}
	}
	return nil
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
	return (&Error{File: l.file, Pos: p, Msg: fmt.Sprintf(format, args...)}).quote(l.src)
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
	if c := l.src[l.off]; c < utf8.RuneSelf && c != '\n' {
		l.ascii(1)
		return rune(c)
	}
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

// ascii consumes n characters that are known to be ASCII and no line breaks.
func (l *lexer) ascii(n int) {
	l.off += n
	l.col += n
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
		switch c := l.src[l.off]; {
		case c > ' ' && c != '/' && c != '\\' && c < utf8.RuneSelf:
			return nl, sp, nil
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
	toks := make([]token, 0, 8)
	if !inString {
		toks = make([]token, 0, len(l.src)/6+8)
	}
	var open []byte
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
		if err := l.lexeme(&t, toks); err != nil {
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

func (l *lexer) lexeme(t *token, before []token) error {
	c := l.peek(0)
	if nameByte(c) && c > '9' {
		t.kind = tIdent
		t.text = l.ident()
		return nil
	}
	r, _ := utf8.DecodeRuneInString(l.src[l.off:])
	switch {
	case c >= '0' && c <= '9':
		return l.number(t)
	case c == '$' && l.has("$/") && operandNext(before):
		l.skip(2)
		return l.text(t, "/$", true, false)
	case r == '$' || r != utf8.RuneError && unicode.IsLetter(r):
		t.kind = tIdent
		t.text = l.ident()
		return nil
	case c == '"' && l.has(`"""`), c == '\'' && l.has("'''"):
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
	for _, op := range operators(c) {
		if l.has(op) {
			t.kind, t.text = tOp, op
			l.ascii(len(op))
			return nil
		}
	}
	return l.errorf(t.pos, "unexpected char: '%c'%s", r, remedy(r))
}

// remedy says what to write for a character that a word processor made of
// another one.
func remedy(r rune) string {
	switch r {
	case '“', '”', '„', '«', '»', '‘', '’', '‚':
		return ` (a typographic quote: write " or ')`
	case '–', '—', '−':
		return " (a typographic dash: write -)"
	case '…':
		return " (write three dots)"
	case '\u00a0', '\u2007', '\u202f', '\u200b', '\ufeff':
		return fmt.Sprintf(" (the invisible character U+%04X: write a space)", r)
	case utf8.RuneError:
		return " (the file is not UTF-8 text)"
	}
	return ""
}

// operandNext says whether an operand may follow, so that a slash opens a
// string instead of dividing.
func operandNext(before []token) bool {
	if len(before) == 0 {
		return true
	}
	switch t := &before[len(before)-1]; t.kind {
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

// nameByte says whether c is an ASCII character of names.
func nameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= '0' && c <= '9'
}

func (l *lexer) ident() string {
	start := l.off
	for l.more() {
		if c := l.src[l.off]; c < utf8.RuneSelf {
			if !nameByte(c) && c != '$' {
				break
			}
			l.ascii(1)
			continue
		}
		r, _ := utf8.DecodeRuneInString(l.src[l.off:])
		if r == utf8.RuneError || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			break
		}
		l.next()
	}
	return l.src[start:l.off]
}
