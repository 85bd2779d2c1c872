package groovy

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
)

// sprintf is String.format: java.util.Formatter, with its conversions, flags
// and exceptions.
func (t *Thread) sprintf(args []Value) (Value, error) {
	if args = skipLocale(args); len(args) == 0 {
		return nil, ErrNoMember
	}
	if err := english(localeOf(args)); err != nil {
		return nil, err
	}
	format, err := t.toString(args[0])
	if err != nil {
		return nil, err
	}
	args = args[1:]
	if l, ok := arg(args, 0).(*List); ok && len(args) == 1 && l.elem != "" {
		args = l.Elems
	}
	if err := t.grow(strings.Count(format, "%"), 256); err != nil { // the specs
		return nil, err
	}
	specs, err := parseSpecs(format)
	if err != nil {
		return nil, err
	}
	p := &printer{t: t, args: args, last: -1, ordinary: -1}
	for _, s := range specs {
		if err := p.one(s); err != nil {
			return nil, err
		}
		if p.b.Len() > maxString {
			return nil, t.grow(p.b.Len(), 1)
		}
	}
	return p.b.String(), t.grow(p.b.Len(), 1)
}

// unpacked are the arguments of printf and sprintf: a list that stands alone is
// what is printed.
func unpacked(args []Value) []Value {
	if l, ok := arg(args, 1).(*List); ok && len(args) == 2 {
		return append([]Value{args[0]}, l.Elems...)
	}
	return args
}

// printer writes what specs say of args.
type printer struct {
	t              *Thread
	args           []Value
	last, ordinary int // the arguments that were taken last, and without an index
	b              strings.Builder
}

// spec is one conversion, %[index$][flags][width][.precision]conversion, or
// text when it has no verb.
type spec struct {
	index     int // 0: the next argument, -1: the one before
	flags     string
	width     int // -1: none
	precision int // -1: none
	date      bool
	upper     bool
	verb      byte
	text      string
}

func (s spec) has(flag byte) bool { return strings.IndexByte(s.flags, flag) >= 0 }

// String is the spec as messages show it.
func (s spec) String() string {
	out := "%" + s.shown()
	if s.index > 0 {
		out += strconv.Itoa(s.index) + "$"
	}
	if s.width >= 0 {
		out += strconv.Itoa(s.width)
	}
	if s.precision >= 0 {
		out += "." + strconv.Itoa(s.precision)
	}
	verb := string(s.verb)
	if s.date {
		return out + choose(s.upper, "T", "t") + verb
	}
	return out + choose(s.upper, strings.ToUpper(verb), verb)
}

// shown are the flags in Java's order.
func (s spec) shown() string {
	out := ""
	for _, f := range "-#+ 0,(<" {
		if s.has(byte(f)) {
			out += string(f)
		}
	}
	return out
}

// one writes one piece of the format.
func (p *printer) one(s spec) error {
	switch s.verb {
	case 0:
		p.b.WriteString(s.text)
		return nil
	case '%':
		p.pad(s, "%")
		return nil
	case 'n':
		p.b.WriteByte('\n')
		return nil
	}
	switch {
	case s.index > 0:
		p.last = s.index - 1
	case s.index == 0:
		p.ordinary++
		p.last = p.ordinary
	}
	if len(p.args) == 1 && p.args[0] == nil && p.last > 0 { // format(f, null): no array at all
		p.last = 0
	}
	if p.last < 0 || p.last >= len(p.args) {
		return Throw("MissingFormatArgumentException", "Format specifier '%s'", s)
	}
	text, err := p.convert(s, p.args[p.last])
	if err != nil {
		return err
	}
	if s.upper {
		text = strings.ToUpper(text)
	}
	p.pad(s, text)
	return nil
}

// pad writes text as wide as the spec says.
func (p *printer) pad(s spec, text string) {
	blanks := ""
	if missing := s.width - len(utf16.Encode([]rune(text))); missing > 0 {
		blanks = strings.Repeat(" ", missing)
	}
	if s.has('-') {
		p.b.WriteString(text + blanks)
		return
	}
	p.b.WriteString(blanks + text)
}

// cut is text up to the precision.
func (s spec) cut(text string) string {
	if s.precision < 0 {
		return text
	}
	r := []rune(text)
	return string(r[:min(s.precision, len(r))])
}

func mismatch(s spec, v Value) error {
	return Throw("IllegalFormatConversionException", "%c != %s", s.verb, TypeName(v))
}

func badFlag(s spec, flag rune) error {
	return Throw("FormatFlagsConversionMismatchException", "Conversion = %c, Flags = %c", s.verb, flag)
}

// convert is the text of a value.
func (p *printer) convert(s spec, v Value) (string, error) {
	switch {
	case s.date:
		return dateText(s, v)
	case s.verb == 'b':
		b, isBool := v.(bool)
		return s.cut(strconv.FormatBool(b || !isBool && v != nil)), nil
	case s.verb == 's':
		if s.has('#') {
			return "", badFlag(s, '#')
		}
		text, err := p.t.javaString(v)
		return s.cut(text), err
	case v == nil:
		return s.cut("null"), nil
	case s.verb == 'h':
		return s.cut(strconv.FormatUint(uint64(uint32(hashCode(v))), 16)), nil
	case s.verb == 'c':
		return charText(s, v)
	}
	rk := rankOf(v)
	if _, char := v.(Char); char {
		rk = 0
	}
	switch s.verb {
	case 'd', 'x', 'o':
		if rk == 0 || rk > rankBig {
			return "", mismatch(s, v)
		}
		if flag := strings.IndexAny(s.flags, "+ ("); s.verb != 'd' && rk != rankBig && flag >= 0 {
			for _, f := range "( +" {
				if s.has(byte(f)) {
					return "", badFlag(s, f)
				}
			}
		}
		return wholeText(s, v), nil
	}
	if rk < rankDecimal || s.verb == 'a' && rk == rankDecimal {
		return "", mismatch(s, v)
	}
	return fractionText(s, v), nil
}

func charText(s spec, v Value) (string, error) {
	c, isChar := v.(Char)
	if n, ok := Int(v); ok && rankOf(v) == rankInt && !isChar {
		if n < 0 || n > unicode.MaxRune {
			return "", Throw("IllegalFormatCodePointException", "Code point = 0x%x", uint32(n))
		}
		c, isChar = Char(n), true
	}
	if !isChar {
		return "", mismatch(s, v)
	}
	return string(rune(c)), nil
}

// javaString is v's own toString, as Java calls it: a map is {a=1}.
func (t *Thread) javaString(v Value) (string, error) {
	f := &formatter{t: t, java: true}
	f.value(v, 0)
	if f.err != nil {
		return "", f.err
	}
	return f.b.String(), t.grow(f.b.Len(), 1)
}

// skipLocale are the arguments without a null that stands for a locale.
func skipLocale(args []Value) []Value {
	if l, ok := arg(args, 0).(*locale); ok && english(l) == nil || len(args) > 1 && args[0] == nil {
		return args[1:]
	}
	return args
}

func localeOf(args []Value) Value {
	if l, ok := args[0].(*locale); ok {
		return l
	}
	return nil
}

// formatterClass is java.util.Formatter.
func formatterClass() *Class {
	return &Class{Name: "Formatter", New: func(_ *Thread, a []Value) (Value, error) {
		b, ok := arg(a, 0).(*builder)
		if !ok {
			if len(a) > 0 && english(a[0]) != nil {
				return nil, ErrNoMember
			}
			b = &builder{class: "StringBuilder"}
		}
		f := &Functions{Name: "java.util.Formatter"}
		f.Func = func(t *Thread, id string, a []Value) (Value, error) {
			switch {
			case id == "format" && len(a) > 0:
				s, err := t.sprintf(a)
				if err != nil {
					return nil, err
				}
				return f, t.appendTo(b, s)
			case id == "toString" && len(a) == 0:
				return string(b.b), nil
			case id == "out" && len(a) == 0:
				return b, nil
			case (id == "flush" || id == "close") && len(a) == 0:
				return nil, nil
			}
			return nil, ErrNoMember
		}
		return f, nil
	}}
}
