package groovy

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// asks makes a method that asks about a text and one that may be a part of it.
func asks(is func(s, p string) bool) method {
	return str(1, 1, func(_ *Thread, s string, a []Value) (Value, error) {
		if a[0] == nil {
			return nil, Throw("NullPointerException", "")
		}
		return is(s, Format(a[0])), nil
	})
}

// str makes a method of strings, of GStrings and of builders' texts.
func str(least, most int, fn func(t *Thread, s string, a []Value) (Value, error)) method {
	return method{least, most, func(t *Thread, v Value, a []Value) (Value, error) {
		s, ok := v.(string)
		if !ok {
			var err error
			if s, err = t.toString(v); err != nil {
				return nil, err
			}
		}
		if t.bytes += int64(len(s)); t.bytes > t.limits.Bytes {
			return nil, t.Alloc(0)
		}
		return fn(t, s, a)
	}}
}

// pure makes a method without arguments that only computes.
func pure[T any](fn func(string) T) method {
	return str(0, 0, func(_ *Thread, s string, _ []Value) (Value, error) { return fn(s), nil })
}

func textMethods() methods {
	m := methods{
		"trim":            pure(func(s string) string { return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' }) }),
		"strip":           pure(strings.TrimSpace),
		"length":          pure(textLen),
		"size":            pure(textLen),
		"isEmpty":         pure(func(s string) bool { return s == "" }),
		"isBlank":         pure(func(s string) bool { return strings.TrimSpace(s) == "" }),
		"isAllWhitespace": pure(func(s string) bool { return strings.TrimSpace(s) == "" }),
		"toLowerCase":     str(0, 1, func(_ *Thread, s string, _ []Value) (Value, error) { return strings.ToLower(s), nil }),
		"toUpperCase":     str(0, 1, func(_ *Thread, s string, _ []Value) (Value, error) { return strings.ToUpper(s), nil }),
		"capitalize":      pure(upperFirst),
		"uncapitalize":    pure(lowerFirst),
		"reverse":         pure(reversed),
		"intern":          pure(func(s string) string { return s }),
		"toString":        pure(func(s string) string { return s }),
		"normalize":       pure(func(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n") }),
		"denormalize":     pure(func(s string) string { return s }),
		"stripIndent":     pure(stripIndent),
		"md5":             pure(func(s string) string { h := md5.Sum([]byte(s)); return hex.EncodeToString(h[:]) }),
		"sha256":          pure(func(s string) string { h := sha256.Sum256([]byte(s)); return hex.EncodeToString(h[:]) }),
		"next":            pure(func(s string) string { return nextText(s, 1) }),
		"previous":        pure(func(s string) string { return nextText(s, -1) }),
		"toCharacter":     str(0, 0, func(_ *Thread, s string, _ []Value) (Value, error) { return toChar(s, "Character") }),
		"isNumber":        pure(isDecimal), "isBigDecimal": pure(isDecimal),
		"contains": asks(strings.Contains),
		"containsIgnoreCase": str(1, 1, func(_ *Thread, s string, a []Value) (Value, error) {
			return strings.Contains(strings.ToLower(s), strings.ToLower(Format(a[0]))), nil
		}),
		"endsWith": asks(strings.HasSuffix),
		"equalsIgnoreCase": str(1, 1, func(_ *Thread, s string, a []Value) (Value, error) {
			return a[0] != nil && strings.EqualFold(s, Format(a[0])), nil
		}),
		"concat": str(1, 1, func(t *Thread, s string, a []Value) (Value, error) { return t.joined(s, Format(a[0])) }),
		"startsWith": str(1, 2, func(_ *Thread, s string, a []Value) (Value, error) {
			if a[0] == nil {
				return nil, Throw("NullPointerException", "")
			}
			if len(a) == 2 {
				r := []rune(s)
				s = string(r[min(max(toInt(a[1]), 0), int64(len(r))):])
			}
			return strings.HasPrefix(s, Format(a[0])), nil
		}),
		"compareToIgnoreCase": str(1, 1, func(_ *Thread, s string, a []Value) (Value, error) {
			return int64(compareText(strings.ToLower(s), strings.ToLower(Format(a[0])))), nil
		}),
		"plus":     str(1, 1, func(t *Thread, s string, a []Value) (Value, error) { return t.plusText(s, a[0]) }),
		"multiply": str(1, 1, func(t *Thread, s string, a []Value) (Value, error) { return t.repeat(s, a[0]) }),
		"repeat":   str(1, 1, func(t *Thread, s string, a []Value) (Value, error) { return t.repeat(s, a[0]) }),
		"leftShift": str(1, 1, func(t *Thread, s string, a []Value) (Value, error) {
			b := &builder{class: "StringBuffer"}
			if err := t.appendTo(b, s); err != nil {
				return nil, err
			}
			return b, t.appendTo(b, a[0])
		}),
		"charAt": str(1, 1, func(t *Thread, s string, a []Value) (Value, error) { return charAt(s, toInt(a[0])) }),
		"codePointAt": str(1, 1, func(t *Thread, s string, a []Value) (Value, error) {
			c, err := charAt(s, toInt(a[0]))
			return toInt(c), err
		}),
		"getChars":    str(0, 0, func(t *Thread, s string, _ []Value) (Value, error) { return t.chars(s) }),
		"toCharArray": str(0, 0, func(t *Thread, s string, _ []Value) (Value, error) { return t.chars(s) }),
		"toList":      str(0, 0, func(t *Thread, s string, _ []Value) (Value, error) { return t.toCollection(s, "ArrayList") }),
		"toSet":       str(0, 0, func(t *Thread, s string, _ []Value) (Value, error) { return t.toCollection(s, "HashSet") }),
		"iterator":    str(0, 0, func(t *Thread, s string, _ []Value) (Value, error) { return t.toCollection(s, "ArrayList") }),
		"format":      str(1, -1, func(t *Thread, _ string, a []Value) (Value, error) { return t.sprintf(a) }),
		"formatted":   str(0, -1, func(t *Thread, s string, a []Value) (Value, error) { return t.sprintf(append([]Value{s}, a...)) }),
		"execute":     str(0, 2, func(t *Thread, s string, a []Value) (Value, error) { return t.execute(strings.Fields(s), a) }),
		"toURL":       str(0, 0, func(t *Thread, s string, _ []Value) (Value, error) { return t.make("URL", s) }),
		"toURI":       str(0, 0, func(t *Thread, s string, _ []Value) (Value, error) { return t.make("URI", s) }),
		"readLines":   str(0, 0, func(t *Thread, s string, _ []Value) (Value, error) { return words(lines(s)), t.Alloc(16 * len(s)) }),
		"lines":       str(0, 0, func(t *Thread, s string, _ []Value) (Value, error) { return words(lines(s)), t.Alloc(16 * len(s)) }),
		"expand":      str(0, 1, func(t *Thread, s string, a []Value) (Value, error) { return t.expandTabs(s, a) }),
		"stripMargin": str(0, 1, func(t *Thread, s string, a []Value) (Value, error) { return stripMargin(s, a), t.Alloc(16 * len(s)) }),
		"tr": str(2, 2, func(t *Thread, s string, a []Value) (Value, error) {
			return translate(s, Format(a[0]), Format(a[1])), nil
		}),
		"each":                str(1, 1, func(t *Thread, s string, a []Value) (Value, error) { return t.eachChar(s, a[0]) }),
		"collectReplacements": str(1, 1, func(t *Thread, s string, a []Value) (Value, error) { return t.collectReplacements(s, a[0]) }),
	}
	textParts(m)
	textBytes(m)
	return m
}

func textLen(s string) int64 {
	n := int64(0)
	for _, r := range s {
		if r > 0xffff {
			n++
		}
		n++
	}
	return n
}

func isDecimal(s string) bool {
	_, ok := parseDecimal(strings.TrimSpace(s))
	return ok
}

func nextText(s string, d rune) string {
	r := []rune(s)
	if len(r) == 0 {
		if d > 0 {
			return "\x00"
		}
		return ""
	}
	r[len(r)-1] += d
	return string(r)
}

func charAt(s string, i int64) (Value, error) {
	if size := int64(utf8.RuneCountInString(s)); i < 0 || i >= size {
		return nil, Throw("StringIndexOutOfBoundsException", "String index out of range: %d", i)
	}
	if int64(len(s)) == int64(utf8.RuneCountInString(s)) {
		return Char(s[i]), nil
	}
	return Char([]rune(s)[i]), nil
}

func (t *Thread) chars(s string) (Value, error) {
	l := &List{elem: "char"}
	for _, r := range s {
		l.Elems = append(l.Elems, Char(r))
	}
	return l, t.grow(len(s), 20)
}

func (t *Thread) joined(a, b string) (Value, error) {
	if err := t.grow(len(a)+len(b), 1); err != nil {
		return nil, err
	}
	return a + b, nil
}

func (t *Thread) plusText(s string, v Value) (Value, error) {
	u, err := t.toString(v)
	if err != nil {
		return nil, err
	}
	return t.joined(s, u)
}

func (t *Thread) repeat(s string, v Value) (Value, error) {
	if rankOf(v) == 0 {
		return nil, ErrNoMember
	}
	n := toInt(v)
	if n < 0 {
		return nil, Throw("IllegalArgumentException", "multiply() should be called with a number of 0 or greater not: %d", n)
	}
	if s == "" {
		return "", nil
	}
	n = min(n, maxString*4)
	if err := t.grow(len(s)*int(n), 1); err != nil {
		return nil, err
	}
	return strings.Repeat(s, int(n)), nil
}

// textParts adds the methods that take parts of a text.
func textParts(m methods) {
	sub := str(1, 2, func(t *Thread, s string, a []Value) (Value, error) {
		size := int64(utf8.RuneCountInString(s))
		from, to := toInt(a[0]), size
		if len(a) == 2 {
			to = toInt(a[1])
		}
		if from < 0 || to > size || from > to {
			return nil, Throw("StringIndexOutOfBoundsException", "begin %d, end %d, length %d", from, to, size)
		}
		return t.part(s, int(from), int(to), int(size))
	})
	m["substring"], m["subSequence"] = sub, sub
	take := func(fn func(n, size int64) (from, to int64)) method {
		return str(1, 1, func(t *Thread, s string, a []Value) (Value, error) {
			if rankOf(a[0]) == 0 {
				return nil, ErrNoMember
			}
			size := int64(utf8.RuneCountInString(s))
			from, to := fn(min(max(toInt(a[0]), 0), size), size)
			return t.part(s, int(from), int(to), int(size))
		})
	}
	m["take"] = take(func(n, _ int64) (int64, int64) { return 0, n })
	m["drop"] = take(func(n, size int64) (int64, int64) { return n, size })
	m["takeRight"] = take(func(n, size int64) (int64, int64) { return size - n, size })
	m["dropRight"] = take(func(n, size int64) (int64, int64) { return 0, size - n })
	around := func(fn func(s, sep string) (int, int)) method {
		return str(1, 1, func(_ *Thread, s string, a []Value) (Value, error) {
			from, to := fn(s, Format(a[0]))
			if from < 0 || to < from {
				return "", nil
			}
			return s[from:to], nil
		})
	}
	m["takeBefore"] = around(func(s, sep string) (int, int) { return 0, strings.Index(s, sep) })
	m["takeAfter"] = around(func(s, sep string) (int, int) {
		if i := strings.Index(s, sep); i >= 0 {
			return i + len(sep), len(s)
		}
		return -1, -1
	})
	m["indexOf"] = str(1, 2, func(_ *Thread, s string, a []Value) (Value, error) { return indexOf(s, a, false), nil })
	m["lastIndexOf"] = str(1, 2, func(_ *Thread, s string, a []Value) (Value, error) { return indexOf(s, a, true), nil })
	for id, left := range map[string]func(n int) int{"padLeft": func(n int) int { return n }, "padRight": func(int) int { return 0 }, "center": func(n int) int { return n / 2 }} {
		m[id] = str(1, 2, func(t *Thread, s string, a []Value) (Value, error) { return t.pad(s, a, left) })
	}
	m["takeWhile"] = str(1, 1, func(t *Thread, s string, a []Value) (Value, error) {
		n, err := t.prefix(s, a[0])
		return s[:n], err
	})
	m["dropWhile"] = str(1, 1, func(t *Thread, s string, a []Value) (Value, error) {
		n, err := t.prefix(s, a[0])
		return s[n:], err
	})
}

// prefix is the length of the first characters for which fn is true.
func (t *Thread) prefix(s string, fn Value) (int, error) {
	c, ok := fn.(*Closure)
	if !ok {
		return 0, ErrNoMember
	}
	for i, r := range s {
		v, err := t.callClosure(c, []Value{string(r)})
		if err != nil {
			return i, err
		}
		if ok, err := t.truth(v); err != nil || !ok {
			return i, err
		}
		if err := t.charge(1); err != nil {
			return i, err
		}
	}
	return len(s), nil
}

func indexOf(s string, a []Value, last bool) Value {
	f := Format(a[0])
	if n, ok := a[0].(int64); ok {
		f = string(rune(n))
	}
	runes := func(i int) Value {
		if i < 0 {
			return int64(-1)
		}
		return int64(utf8.RuneCountInString(s[:i]))
	}
	if last {
		return runes(strings.LastIndex(s, f))
	}
	from := 0
	if len(a) == 2 {
		n := toInt(a[1])
		for i := range s {
			if n <= 0 {
				break
			}
			n--
			from = i + 1
		}
	}
	if i := strings.Index(s[min(from, len(s)):], f); i >= 0 {
		return runes(i + from)
	}
	return int64(-1)
}

func (t *Thread) pad(s string, a []Value, left func(int) int) (Value, error) {
	fill := " "
	if len(a) > 1 {
		fill = Format(a[1])
	}
	missing := toInt(a[0]) - textLen(s)
	if missing <= 0 || fill == "" {
		return s, nil
	}
	if err := t.grow(int(min(missing, maxString*4))*len(fill), 1); err != nil {
		return nil, err
	}
	filler := func(n int) string {
		r := []rune(strings.Repeat(fill, n/utf8.RuneCountInString(fill)+1))
		return string(r[:n])
	}
	l := left(int(missing))
	return filler(l) + s + filler(int(missing)-l), nil
}

func words(list []string) *List {
	l := NewList()
	for _, w := range list {
		l.Elems = append(l.Elems, w)
	}
	return l
}

// texts is an array of Strings.
func texts(list []string) *List {
	l := words(list)
	l.elem = "String"
	return l
}

func lines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n"), "\n"), "\n")
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

func stripMargin(s string, a []Value) string {
	mark := "|"
	if len(a) == 1 {
		mark = Format(a[0])
	}
	list := strings.Split(s, "\n")
	for i, l := range list {
		if rest, ok := strings.CutPrefix(strings.TrimLeft(l, " \t"), mark); ok {
			list[i] = rest
		}
	}
	return strings.Join(list, "\n")
}

func (t *Thread) expandTabs(s string, a []Value) (Value, error) {
	width := 8
	if len(a) == 1 {
		width = int(min(max(toInt(a[0]), 1), 100))
	}
	if err := t.grow(len(s)+strings.Count(s, "\t")*width, 1); err != nil {
		return nil, err
	}
	var b strings.Builder
	col := 0
	for _, r := range s {
		switch r {
		case '\t':
			n := width - col%width
			b.WriteString(strings.Repeat(" ", n))
			col += n
		case '\n':
			b.WriteRune(r)
			col = 0
		default:
			b.WriteRune(r)
			col++
		}
	}
	return b.String(), nil
}

// translate is String.tr, with ranges such as a-z.
func translate(s, from, to string) string {
	set := func(s string) []rune {
		r := []rune(s)
		var out []rune
		for i := 0; i < len(r); i++ {
			if i+2 < len(r) && r[i+1] == '-' && r[i+2] >= r[i] && r[i+2]-r[i] < 1000 {
				for c := r[i]; c <= r[i+2]; c++ {
					out = append(out, c)
				}
				i += 2
				continue
			}
			out = append(out, r[i])
		}
		return out
	}
	f, g := set(from), set(to)
	return strings.Map(func(r rune) rune {
		i := slices.Index(f, r)
		if i < 0 || len(g) == 0 {
			return r
		}
		return g[min(i, len(g)-1)]
	}, s)
}

// textNumberMethods read numbers from texts.
func textNumberMethods() methods {
	m := methods{}
	for id, typ := range map[string]string{"toInteger": "Integer", "toLong": "Long", "toShort": "Short", "toDouble": "Double", "toFloat": "Float", "toBigDecimal": "BigDecimal", "toBigInteger": "BigInteger"} {
		m[id] = str(0, 0, func(_ *Thread, s string, _ []Value) (Value, error) { return strictNumber(s, typ) })
	}
	for id, typ := range map[string]string{"isInteger": "Integer", "isLong": "Long", "isDouble": "Double", "isFloat": "Float", "isBigInteger": "BigInteger"} {
		m[id] = pure(func(s string) bool {
			_, err := strictNumber(s, typ)
			return err == nil
		})
	}
	m["toBoolean"] = pure(func(s string) bool {
		l := strings.ToLower(strings.TrimSpace(s))
		return l == "true" || l == "y" || l == "1"
	})
	m["asBoolean"] = pure(func(s string) bool { return s != "" })
	return m
}

// strictNumber reads a number; a single character is a digit, not a code.
func strictNumber(s, typ string) (Value, error) {
	if rk := numberRank(typ); rk <= rankLong {
		n, err := parseInt(s, numberBits(typ))
		if err != nil {
			return nil, badNumber(strings.TrimSpace(s))
		}
		return toNumber(n, typ), nil
	}
	return textToNumber(s, typ)
}
