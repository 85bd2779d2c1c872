package groovy

import (
	"math"
	"strings"
)

// scriptFunctions are the functions that every script has.
func scriptFunctions() methods {
	printed := func(end string) method {
		return function0(0, 1, func(t *Thread, a []Value) (Value, error) {
			s := ""
			if len(a) == 1 {
				var err error
				if s, err = t.toString(a[0]); err != nil {
					return nil, err
				}
			}
			return nil, t.Print(s + end)
		})
	}
	return methods{
		"println": printed("\n"), "print": printed(""),
		"printf": function0(1, -1, func(t *Thread, a []Value) (Value, error) {
			v, err := t.sprintf(a)
			if err != nil {
				return nil, err
			}
			return nil, t.Print(Format(v))
		}),
		"sprintf": function0(1, -1, func(t *Thread, a []Value) (Value, error) { return t.sprintf(a) }),
		"sleep":   function0(1, 2, func(t *Thread, a []Value) (Value, error) { return nil, t.sleep(a[0]) }),
		"evaluate": function0(1, 1, func(t *Thread, a []Value) (Value, error) {
			file, src, err := textOf(t, a[0])
			if err != nil {
				return nil, err
			}
			return t.evaluate(file, src, t.unit().binding)
		}),
		"getBinding": function0(0, 0, func(t *Thread, _ []Value) (Value, error) { return &binding{t.unit()}, nil }),
	}
}

// evaluate runs a text as a script with a binding.
func (t *Thread) evaluate(file, src string, vars *Map) (Value, error) {
	if err := t.charge(len(src)); err != nil { // a step for each byte that is parsed
		return nil, err
	}
	s, err := Parse(file, src)
	if err != nil {
		return nil, err
	}
	u, err := t.load(s)
	if err != nil {
		return nil, err
	}
	if vars != nil {
		if args, ok := u.binding.Get("args"); ok && !vars.Has("args") {
			vars.Put("args", args)
		}
		u.binding = vars
	}
	return t.runUnit(u)
}

func (t *Thread) sleep(ms Value) error {
	n, ok := Number(ms)
	if !ok {
		return Throw("IllegalArgumentException", "sleep(%s)", Format(ms))
	}
	if t.in.Sleep == nil {
		return Throw("UnsupportedOperationException", "sleep is not available here")
	}
	return t.in.Sleep(t.ctx, truncate(n))
}

// make makes an object of a host class.
func (t *Thread) make(class string, args ...Value) (Value, error) {
	if c, ok := t.class(t.unit(), class).(*Class); ok && c.New != nil {
		return c.New(t, args)
	}
	return nil, Throw("ClassNotFoundException", "%s", unavailable(class))
}

// Start describes a process that a script starts: "cmd".execute(env, dir).
type Start struct {
	Argv []string
	Env  []string // NAME=value; nil: the script's own
	Dir  string   // empty: the script's own
	// Merge puts errors into the output.
	Merge bool
}

// execute starts a process.
func (t *Thread) execute(argv []string, a []Value) (Value, error) {
	if t.in.Start == nil {
		return nil, Throw("UnsupportedOperationException", "execute is not available here: a process is not started while a recipe is checked")
	}
	if len(argv) == 0 {
		return nil, Throw("IllegalArgumentException", "Empty command")
	}
	s := Start{Argv: argv}
	if len(a) > 0 && a[0] != nil {
		list, err := t.elements(a[0])
		if err != nil {
			return nil, err
		}
		s.Env = []string{}
		for _, v := range list {
			s.Env = append(s.Env, Format(v))
		}
	}
	if len(a) > 1 && a[1] != nil {
		s.Dir = Format(a[1])
	}
	return t.in.Start(t, s)
}

// Functions is an Object of functions and constants, for a Class's Static.
type Functions struct {
	Name   string
	Func   func(t *Thread, name string, args []Value) (Value, error) // nil has none
	Consts map[string]Value
}

// Type is the name of the class.
func (f *Functions) Type() string { return f.Name }

// Get reads a constant.
func (f *Functions) Get(_ *Thread, name string) (Value, error) {
	if v, ok := f.Consts[name]; ok {
		return v, nil
	}
	return nil, ErrNoMember
}

// Set refuses: constants stay.
func (f *Functions) Set(*Thread, string, Value) error { return ErrNoMember }

// Call calls a function.
func (f *Functions) Call(t *Thread, name string, args []Value) (Value, error) {
	if f.Func == nil {
		return nil, ErrNoMember
	}
	return f.Func(t, name, args)
}

// textOf is the text that a parser is given: a String, or a File or URL whose
// property text the embedder answers.
func textOf(t *Thread, v Value) (file, text string, err error) {
	switch v := v.(type) {
	case string:
		return "script", v, nil
	case *lazyString, *builder:
		s, err := t.toString(v)
		return "script", s, err
	case Object:
		x, err := v.Get(t, "text")
		if err != nil {
			return "", "", err
		}
		s, _ := x.(string)
		return Format(v), s, nil
	}
	return "", "", Throw("IllegalArgumentException", "parse(%s)", TypeName(v))
}

// sprintf is String.format. Its conversions are Java's: %d takes whole
// numbers, %s anything, %f and %e numbers.
func (t *Thread) sprintf(args []Value) (Value, error) {
	format, err := t.toString(arg(args, 0))
	if err != nil {
		return nil, err
	}
	rest := args[min(1, len(args)):]
	if len(rest) == 1 {
		if l, ok := rest[0].(*List); ok {
			rest = l.Elems
		}
	}
	p := &printer{t: t, args: rest}
	if err := p.run(format); err != nil {
		return nil, err
	}
	return p.b.String(), nil
}

type printer struct {
	t    *Thread
	args []Value
	next int
	b    strings.Builder
}

// spec is one conversion: %[index$][flags][width][.precision]conversion.
type spec struct {
	flags     string
	width     int
	precision int // -1: none
	verb      byte
	text      string
}

const maxWidth = 10000

func (p *printer) run(f string) error {
	for i := 0; i < len(f); i++ {
		if f[i] != '%' {
			p.b.WriteByte(f[i])
			continue
		}
		s, n, index := parseSpec(f[i:])
		if n == 0 {
			return Throw("UnknownFormatConversionException", "Conversion = '%s'", "%")
		}
		i += n - 1
		if s.width > maxWidth || s.precision > maxWidth {
			return Throw("IllegalFormatException", "%s", s.text)
		}
		if err := p.one(s, index); err != nil {
			return err
		}
		if err := p.t.grow(p.b.Len(), 1); err != nil && p.b.Len() > maxString {
			return err
		}
	}
	return p.t.Alloc(p.b.Len())
}

func parseSpec(f string) (s spec, n, index int) {
	i := 1
	number := func() int {
		v := 0
		for i < len(f) && f[i] >= '0' && f[i] <= '9' {
			v = min(v*10+int(f[i]-'0'), maxWidth+1)
			i++
		}
		return v
	}
	if j := i; i < len(f) && f[i] >= '1' && f[i] <= '9' {
		if index = number(); i < len(f) && f[i] == '$' {
			i++
		} else {
			i, index = j, 0
		}
	}
	for i < len(f) && strings.IndexByte("-#+ 0,(<", f[i]) >= 0 {
		s.flags += string(f[i])
		i++
	}
	s.width = number()
	s.precision = -1
	if i < len(f) && f[i] == '.' {
		i++
		s.precision = number()
	}
	if i >= len(f) {
		return s, 0, 0
	}
	s.verb, s.text = f[i], f[:i+1]
	if s.verb == 't' && i+1 < len(f) {
		i++
		s.text = f[:i+1]
	}
	return s, i + 1, index
}

func (p *printer) one(s spec, index int) error {
	switch s.verb {
	case '%':
		p.pad(s, "%")
		return nil
	case 'n':
		p.b.WriteByte('\n')
		return nil
	}
	i := index - 1
	if index == 0 {
		i = p.next
		p.next++
	}
	if i < 0 || i >= len(p.args) {
		return Throw("MissingFormatArgumentException", "Format specifier '%s'", s.text)
	}
	text, err := p.convert(s, p.args[i])
	if err != nil {
		return err
	}
	p.pad(s, text)
	return nil
}

func (p *printer) pad(s spec, text string) {
	missing := s.width - len([]rune(text))
	switch {
	case missing <= 0:
		p.b.WriteString(text)
	case strings.Contains(s.flags, "-"):
		p.b.WriteString(text + strings.Repeat(" ", missing))
	case strings.Contains(s.flags, "0") && strings.IndexByte("dfxXoeEg", s.verb) >= 0:
		sign := ""
		if text != "" && (text[0] == '-' || text[0] == '+') {
			sign, text = text[:1], text[1:]
		}
		p.b.WriteString(sign + strings.Repeat("0", missing) + text)
	default:
		p.b.WriteString(strings.Repeat(" ", missing) + text)
	}
}

func (p *printer) convert(s spec, v Value) (string, error) {
	mismatch := Throw("IllegalFormatConversionException", "%c != %s", s.verb, TypeName(v))
	switch s.verb {
	case 's', 'S':
		text, err := p.t.toString(v)
		if s.precision >= 0 {
			text = string([]rune(text)[:min(s.precision, len([]rune(text)))])
		}
		if s.verb == 'S' {
			text = strings.ToUpper(text)
		}
		return text, err
	case 'b', 'B':
		b, isBool := v.(bool)
		return choose(isBool && b || !isBool && v != nil, "true", "false"), nil
	case 'c':
		if c, err := toChar(v, "char"); err == nil && v != nil {
			return Format(c), nil
		}
		return "", mismatch
	case 'h':
		return toBig(int64(uint32(hashCode(v)))).Text(16), nil
	}
	if v == nil {
		return "null", nil
	}
	rk := rankOf(v)
	switch s.verb {
	case 'd', 'x', 'X', 'o':
		if rk == 0 || rk > rankBig {
			return "", mismatch
		}
		return wholeText(s, v), nil
	case 'f', 'e', 'E', 'g':
		if rk < rankDecimal {
			return "", mismatch
		}
		return fractionText(s, v), nil
	}
	return "", Throw("UnknownFormatConversionException", "Conversion = '%c'", s.verb)
}

func wholeText(s spec, v Value) string {
	switch s.verb {
	case 'x', 'X', 'o':
		n := toBig(v)
		base := 16
		if s.verb == 'o' {
			base = 8
		}
		if n.Sign() < 0 && rankOf(v) <= rankLong {
			width := uint(64)
			if rankOf(v) == rankInt {
				width = 32
			}
			n = toBig(v).Add(toBig(v), toBig(int64(0)).Lsh(toBig(int64(1)), width))
		}
		text := n.Text(base)
		if strings.Contains(s.flags, "#") {
			text = "0x" + text
		}
		return choose(s.verb == 'X', strings.ToUpper(text), text)
	}
	return signed(s, grouped(s, Format(v)))
}

func signed(s spec, text string) string {
	if text[0] != '-' {
		switch {
		case strings.Contains(s.flags, "+"):
			return "+" + text
		case strings.Contains(s.flags, " "):
			return " " + text
		}
	}
	return text
}

// grouped puts commas between thousands when the flag says so.
func grouped(s spec, text string) string {
	if !strings.Contains(s.flags, ",") {
		return text
	}
	whole, frac, hasFrac := strings.Cut(text, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if hasFrac {
		whole += "." + frac
	}
	return sign + whole
}

func fractionText(s spec, v Value) string {
	digits := s.precision
	if digits < 0 {
		digits = 6
	}
	f, isFloat := Number(v)
	if _, isDecimal := v.(*Decimal); !isDecimal && isFloat && (math.IsNaN(f) || math.IsInf(f, 0)) {
		return formatDouble(f)
	}
	if s.verb == 'f' {
		return signed(s, grouped(s, toDecimal(v).rescale(int32(digits), halfUp).plain()))
	}
	return signed(s, exponent(f, digits, s.verb))
}

func exponent(f float64, digits int, verb byte) string {
	return strings.TrimSpace(formatE(f, digits, verb))
}
