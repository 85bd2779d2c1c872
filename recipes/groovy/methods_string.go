package groovy

import (
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// stringMethod are the methods of String that recipes use.
func (t *Thread) stringMethod(s, id string, args []Value) (Value, error) {
	if len(args) == 0 {
		return t.stringPlain(s, id)
	}
	a := args[0]
	switch id {
	case "contains":
		return strings.Contains(s, Format(a)), nil
	case "startsWith":
		return strings.HasPrefix(s, Format(a)), nil
	case "endsWith":
		return strings.HasSuffix(s, Format(a)), nil
	case "equalsIgnoreCase":
		return a != nil && strings.EqualFold(s, Format(a)), nil
	case "compareToIgnoreCase":
		return int64(strings.Compare(strings.ToLower(s), strings.ToLower(Format(a)))), nil
	case "indexOf", "lastIndexOf":
		return t.indexOf(s, id, args), nil
	case "concat", "plus":
		return t.operate("+", s, a)
	case "minus":
		return t.operate("-", s, a)
	case "multiply":
		return t.operate("*", s, a)
	case "charAt":
		return t.listAt(s, a)
	case "getAt":
		return t.listAt(s, a)
	case "substring", "subSequence":
		return t.substring(s, args)
	case "take", "drop":
		return t.takeDrop(s, id, a)
	case "count":
		if f := Format(a); f != "" {
			return int64(strings.Count(s, f)), nil
		}
		return int64(0), nil
	case "padLeft", "padRight", "center":
		return t.pad(s, id, args)
	case "split", "tokenize", "splitEachLine", "eachLine", "matches", "replace", "replaceAll", "replaceFirst", "find", "findAll":
		return t.stringPattern(s, id, args)
	case "eachWithIndex", "each", "collect", "any", "every", "inject", "sum", "reverse":
		return t.iterMethod(s, id, args)
	case "format":
		return t.sprintf(append([]Value{s}, args...))
	case "leftShift":
		return t.operate("<<", s, a)
	}
	return nil, ErrNoMember
}

func (t *Thread) stringPlain(s, id string) (Value, error) {
	if err := t.Alloc(len(s)); err != nil {
		return nil, err
	}
	switch id {
	case "trim":
		return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' }), nil
	case "strip":
		return strings.TrimSpace(s), nil
	case "length", "size":
		return int64(utf8.RuneCountInString(s)), nil
	case "isEmpty":
		return s == "", nil
	case "isBlank", "isAllWhitespace":
		return strings.TrimSpace(s) == "", nil
	case "toLowerCase":
		return strings.ToLower(s), nil
	case "toUpperCase":
		return strings.ToUpper(s), nil
	case "capitalize":
		if s == "" {
			return s, nil
		}
		return upperFirst(s), nil
	case "uncapitalize":
		if s == "" {
			return s, nil
		}
		return lowerFirst(s), nil
	case "reverse":
		r := []rune(s)
		for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
			r[i], r[j] = r[j], r[i]
		}
		return string(r), nil
	case "toInteger", "toLong", "intValue":
		return parseInt(s)
	case "toDouble", "toFloat", "toBigDecimal":
		return parseFloat(s)
	case "toBoolean":
		l := strings.ToLower(strings.TrimSpace(s))
		return l == "true" || l == "y" || l == "1", nil
	case "isInteger", "isLong":
		_, err := parseInt(s)
		return err == nil, nil
	case "isNumber", "isDouble", "isBigDecimal":
		_, err := parseFloat(s)
		return err == nil, nil
	case "split", "tokenize", "readLines":
		if err := t.Alloc(16 * len(s)); err != nil { // each of its characters may be a word
			return nil, err
		}
		if id == "readLines" {
			return words(lines(s)), nil
		}
		return words(strings.Fields(s)), nil
	case "toList", "toCharArray", "getChars":
		return t.convert(s, "List")
	case "getBytes":
		if err := t.grow(len(s), 16); err != nil {
			return nil, err
		}
		l := NewList()
		for i := range len(s) {
			l.Elems = append(l.Elems, int64(int8(s[i])))
		}
		return l, nil
	case "stripIndent":
		if err := t.Alloc(16 * len(s)); err != nil {
			return nil, err
		}
		return stripIndent(s), nil
	case "stripMargin":
		if err := t.Alloc(16 * len(s)); err != nil {
			return nil, err
		}
		var out []string
		for _, l := range lines(s) {
			if _, rest, ok := strings.Cut(l, "|"); ok {
				l = rest
			}
			out = append(out, l)
		}
		return strings.Join(out, "\n"), nil
	case "intern", "toString", "toURL", "toURI", "denormalize", "normalize":
		return s, nil
	case "execute":
		return t.execute(strings.Fields(s))
	case "iterator":
		return t.convert(s, "List")
	}
	return nil, ErrNoMember
}

func words(list []string) *List {
	l := NewList()
	for _, w := range list {
		l.Elems = append(l.Elems, w)
	}
	return l
}

func lines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(s, "\r\n", "\n"), "\n"), "\n")
}

func stripIndent(s string) string {
	list := strings.Split(s, "\n")
	least := -1
	for _, l := range list {
		if strings.TrimSpace(l) == "" {
			continue
		}
		n := len(l) - len(strings.TrimLeftFunc(l, unicode.IsSpace))
		if least < 0 || n < least {
			least = n
		}
	}
	for i, l := range list {
		list[i] = l[min(max(least, 0), len(l)):]
	}
	return strings.Join(list, "\n")
}

func (t *Thread) indexOf(s, id string, args []Value) Value {
	f := Format(args[0])
	from := 0
	if n, ok := arg(args, 1).(int64); ok {
		from = int(min(max(n, 0), int64(len(s))))
	}
	if id == "lastIndexOf" {
		return int64(strings.LastIndex(s, f))
	}
	if i := strings.Index(s[from:], f); i >= 0 {
		return int64(i + from)
	}
	return int64(-1)
}

func (t *Thread) substring(s string, args []Value) (Value, error) {
	size := int64(utf8.RuneCountInString(s))
	from, ok := args[0].(int64)
	to := size
	if len(args) > 1 {
		to, ok = args[1].(int64)
	}
	if !ok || from < 0 || to > size || from > to {
		return nil, Throw("StringIndexOutOfBoundsException", "begin %s, end %d, length %d", Format(args[0]), to, size)
	}
	return t.slice(s, from, to, size)
}

func (t *Thread) takeDrop(s, id string, a Value) (Value, error) {
	n, ok := a.(int64)
	if !ok {
		return nil, Throw("IllegalArgumentException", "%s(%s)", id, Format(a))
	}
	size := int64(utf8.RuneCountInString(s))
	n = min(max(n, 0), size)
	if id == "take" {
		return t.slice(s, 0, n, size)
	}
	return t.slice(s, n, size, size)
}

// slice returns the characters from to to of s, which has size of them. Of
// plain ASCII it copies nothing.
func (t *Thread) slice(s string, from, to, size int64) (Value, error) {
	if size == int64(len(s)) {
		return s[from:to], nil
	}
	s = string([]rune(s)[from:to])
	return s, t.Alloc(len(s))
}

func (t *Thread) pad(s, id string, args []Value) (Value, error) {
	n, ok := args[0].(int64)
	fill := " "
	if len(args) > 1 {
		fill = Format(args[1])
	}
	missing := n - int64(utf8.RuneCountInString(s))
	if !ok || missing <= 0 || fill == "" {
		return s, nil
	}
	if err := t.grow(int(min(missing, maxString*4))*len(fill), 1); err != nil {
		return nil, err
	}
	left := int64(0)
	switch id {
	case "padLeft":
		left = missing
	case "center":
		left = missing / 2
	}
	return strings.Repeat(fill, int(left)) + s + strings.Repeat(fill, int(missing-left)), nil
}

// stringPattern are the methods that take a pattern or work line by line.
func (t *Thread) stringPattern(s, id string, args []Value) (Value, error) {
	if err := t.Alloc(2 * len(s)); err != nil {
		return nil, err
	}
	last, _ := args[len(args)-1].(*Closure)
	a := args[0]
	switch id {
	case "replace":
		if len(args) != 2 {
			return nil, ErrNoMember
		}
		if from := Format(a); from != "" || len(s) < 1<<16 {
			if err := t.grow(len(s)+strings.Count(s, from)*len(Format(args[1])), 1); err != nil {
				return nil, err
			}
			return strings.ReplaceAll(s, from, Format(args[1])), nil
		}
		return s, nil
	case "tokenize":
		if err := t.Alloc(16 * len(s)); err != nil { // each of its characters may be a word
			return nil, err
		}
		sep := Format(a)
		return words(strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(sep, r) })), nil
	case "eachLine", "splitEachLine":
		if err := t.Alloc(16 * len(s)); err != nil {
			return nil, err
		}
		if id != "eachLine" {
			break
		}
		if last == nil {
			return nil, ErrNoMember
		}
		var v Value
		for i, l := range lines(s) {
			var err error
			if v, err = t.callWith(last, l, int64(i)); err != nil {
				return nil, err
			}
		}
		return v, nil
	}
	re, err := patternOf(a)
	if err != nil {
		return nil, err
	}
	switch id {
	case "matches":
		return t.fits(re, s)
	case "split":
		return t.split(s, re, arg(args, 1))
	case "splitEachLine":
		for _, l := range lines(s) {
			if last == nil {
				return nil, ErrNoMember
			}
			parts, err := t.split(l, re, nil)
			if err != nil {
				return nil, err
			}
			if _, err := t.Call(last, parts); err != nil {
				return nil, err
			}
		}
		return nil, nil
	case "find":
		places, err := t.matches(re, s, 1)
		if err != nil || places == nil {
			return nil, err
		}
		g := groupsAt(s, places[0])
		if last != nil {
			return t.Call(last, groups(g))
		}
		return g[0], nil
	case "findAll":
		places, err := t.matches(re, s, -1)
		l := NewList()
		for _, p := range places {
			l.Elems = append(l.Elems, s[p[0]:p[1]])
		}
		return l, err
	}
	return t.replacePattern(s, re, id, args)
}

func (t *Thread) split(s string, re *regex, limit Value) (Value, error) {
	n, _ := limit.(int64)
	if n <= 0 {
		n = maxMatches
	}
	if err := t.search(re, s); err != nil {
		return nil, err
	}
	parts := re.re.Split(s, int(min(n, maxMatches)))
	if len(parts) == maxMatches {
		return nil, fmt.Errorf("%w: split into more than %d parts", ErrLimit, maxMatches-1)
	}
	for n == maxMatches && len(parts) > 1 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	if len(parts) > 1 && parts[0] == "" && re.re.MatchString("") {
		parts = parts[1:]
	}
	return words(parts), t.Alloc(48 * len(parts))
}

func (t *Thread) replacePattern(s string, re *regex, id string, args []Value) (Value, error) {
	if len(args) != 2 {
		return nil, ErrNoMember
	}
	n := -1
	if id == "replaceFirst" {
		n = 1
	}
	c, isClosure := args[1].(*Closure)
	with := ""
	if !isClosure {
		with = replacement(Format(args[1]))
	}
	var b []byte
	at := 0
	places, err := t.matches(re, s, n)
	if err != nil {
		return nil, err
	}
	for _, m := range places {
		b = append(b, s[at:m[0]]...)
		if isClosure {
			v, err := t.Call(c, groups(groupsAt(s, m)))
			if err != nil {
				return nil, err
			}
			b = append(b, Format(v)...)
		} else {
			b = re.re.ExpandString(b, with, s, m)
		}
		if len(b) > maxString*2 {
			return nil, fmt.Errorf("%w: a value of %d bytes", ErrLimit, len(b))
		}
		at = m[1]
	}
	b = append(b, s[at:]...)
	return string(b), t.Alloc(len(b))
}

// callWith calls a closure with as many of the arguments as it takes.
func (t *Thread) callWith(c *Closure, args ...Value) (Value, error) {
	return t.Call(c, args[:min(max(c.arity(), 1), len(args))]...)
}

func (t *Thread) execute(argv []string) (Value, error) {
	if t.in.Execute == nil {
		return nil, Throw("IOException", "execute is not available here")
	}
	if len(argv) == 0 {
		return nil, Throw("IOException", "execute: the command is empty")
	}
	return t.in.Execute(t, argv)
}

// sprintf is String.format for the verbs that Go and Java share.
func (t *Thread) sprintf(args []Value) (Value, error) {
	f := strings.ReplaceAll(Format(arg(args, 0)), "%n", "\n")
	for i, v := range f { // a width of millions is no format but an attack
		if v == '%' && len(f) > i+6 && strings.Trim(f[i+1:i+6], "0123456789") == "" {
			return nil, Throw("IllegalFormatException", "%s", f)
		}
	}
	rest := args[min(1, len(args)):]
	if len(rest) == 1 {
		if l, ok := rest[0].(*List); ok {
			rest = l.Elems
		}
	}
	vals := make([]any, len(rest))
	for i, v := range rest {
		switch v.(type) {
		case int64, float64, bool, string:
			vals[i] = v
		default:
			vals[i] = Format(v)
		}
	}
	if strings.Contains(f, "*") {
		return nil, Throw("IllegalFormatException", "%s", f)
	}
	s := fmt.Sprintf(f, vals...)
	if strings.Contains(s, "%!") {
		return nil, Throw("IllegalFormatException", "%s", f)
	}
	return s, t.grow(len(s), 1)
}

func (t *Thread) numberMethod(v Value, id string, args []Value) (Value, error) {
	f, _ := number(v)
	i, isInt := v.(int64)
	if len(args) == 0 {
		switch id {
		case "toInteger", "toLong", "intValue", "longValue", "shortValue":
			if isInt {
				return i, nil
			}
			return truncate(f), nil
		case "toDouble", "doubleValue", "floatValue", "toBigDecimal", "toFloat":
			return f, nil
		case "abs":
			if isInt && i != math.MinInt64 {
				return max(i, -i), nil
			}
			return math.Abs(f), nil
		case "round":
			return truncate(math.Floor(f + 0.5)), nil
		}
		return nil, ErrNoMember
	}
	switch id {
	case "times", "upto", "downto":
		return t.count(i, id, args)
	case "plus":
		return t.operate("+", v, args[0])
	case "minus":
		return t.operate("-", v, args[0])
	case "multiply":
		return t.operate("*", v, args[0])
	case "div":
		return t.operate("/", v, args[0])
	case "mod":
		return t.operate("%", v, args[0])
	case "intdiv":
		d, ok := args[0].(int64)
		if !isInt || !ok || d == 0 || d == -1 && i == math.MinInt64 {
			return nil, Throw("ArithmeticException", "intdiv(%s)", Format(args[0]))
		}
		return i / d, nil
	case "power":
		return t.operate("**", v, args[0])
	}
	return nil, ErrNoMember
}

// count is 3.times, 1.upto(3) and 3.downto(1).
func (t *Thread) count(i int64, id string, args []Value) (Value, error) {
	c, ok := args[len(args)-1].(*Closure)
	if !ok {
		return nil, ErrNoMember
	}
	from, n, sign := int64(0), i, int64(1)
	if id != "times" {
		to, ok := args[0].(int64)
		if !ok || len(args) != 2 {
			return nil, ErrNoMember
		}
		from, n = i, to-i+1
		if id == "downto" {
			n, sign = i-to+1, -1
		}
	}
	for k := range max(n, 0) {
		if err := t.step(c.lit.pos); err != nil {
			return nil, err
		}
		if _, err := t.Call(c, from+sign*k); err != nil {
			return nil, err
		}
	}
	return nil, nil
}
